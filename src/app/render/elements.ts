interface Looks {
  readonly class?: string
  readonly text?: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly onClick?: () => void
}

/** Makes an element. Text is text: nothing here or anywhere in this page writes markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  looks: Looks = {},
  children: readonly Node[] = [],
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  if (looks.class !== undefined) made.className = looks.class
  if (looks.text !== undefined) made.textContent = looks.text
  for (const [name, value] of Object.entries(looks.attributes ?? {})) made.setAttribute(name, value)
  if (looks.onClick !== undefined) made.addEventListener('click', looks.onClick)
  made.append(...children)
  return made
}

export function button(text: string, onClick: () => void, className = ''): HTMLButtonElement {
  return element('button', { class: className, text, attributes: { type: 'button' }, onClick })
}

/** Touches the page only when something changes, so that selections and screen readers are left in peace. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text
}

export function setClass(node: Element, className: string): void {
  if (node.className !== className) node.className = className
}

export function setAttribute(node: Element, name: string, value: string | null): void {
  if (value === null) node.removeAttribute(name)
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value)
}

export function setShown(node: HTMLElement, isShown: boolean): void {
  if (node.hidden === isShown) node.hidden = !isShown
}

/** @returns an element of board.html. @throws Error when the page has none */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} "${id}"`)
  return found
}

/** Puts children in order and removes others; what is in its place already is not touched and keeps the focus. */
export function setChildren(parent: Element, children: readonly Element[]): void {
  const wanted = new Set(children)
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove()
  children.forEach((child, place) => {
    if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] ?? null)
  })
}

export interface ProgressBar {
  readonly root: HTMLElement
  /** @param percent null: how far it is is not known */
  update(percent: number | null, label: string): void
}

export function progressBar(): ProgressBar {
  const fill = element('span', { class: 'fill' })
  const root = element('span', { class: 'progress', attributes: { role: 'progressbar' } }, [fill])
  return {
    root,
    update(percent, label) {
      setAttribute(root, 'aria-label', label)
      setAttribute(root, 'aria-valuenow', percent === null ? null : String(percent))
      setClass(root, percent === null ? 'progress unknown' : 'progress')
      fill.style.width = percent === null ? '' : `${percent}%`
    },
  }
}
