import type { JobView } from '../../domain/wire/shared.ts'
import type { BoardState } from '../board-state.ts'
import { type ActionName, actionsFor, isHeldForPermission, type JobAction } from '../job-actions.ts'
import { button, element, setAttribute, setChildren, setClass, setShown, setText } from './elements.ts'

export interface ActionIntents {
  onPress(action: ActionName): void
  onConfirm(): void
  onKeep(): void
  onOpen(jobId: string): void
}

export interface ActionBar {
  readonly root: HTMLElement
  update(state: BoardState, job: JobView): void
}

/** What can be done with the chosen job. What cannot be undone takes two steps: the button, then an answer to its question. */
export function createActionBar(intents: ActionIntents): ActionBar {
  const bar = element('div', { class: 'actions', attributes: { role: 'group', 'aria-label': 'Actions' } })
  const question = element('p')
  const yes = button('', () => intents.onConfirm(), 'danger')
  const no = button('', () => intents.onKeep())
  const step = element('div', { class: 'confirm', attributes: { role: 'alertdialog' } }, [question, yes, no])
  const permission = element('p', { class: 'permission' })
  const notice = element('p', { class: 'notice', attributes: { role: 'status' } })
  const open = button('Show it', () => undefined)
  const root = element('div', {}, [permission, bar, step, notice, open])
  const buttons = new Map<ActionName, HTMLButtonElement>()
  let opens: string | null = null
  open.addEventListener('click', () => {
    if (opens !== null) intents.onOpen(opens)
  })

  const buttonOf = ({ name, label }: JobAction): HTMLButtonElement => {
    const known = buttons.get(name)
    const made = known ?? button(label, () => intents.onPress(name), `action ${name}`)
    buttons.set(name, made)
    setText(made, label)
    return made
  }

  const askedFirst = (isAsking: boolean, action: JobAction | undefined): void => {
    const wasShown = !step.hidden
    setShown(step, isAsking)
    if (!isAsking || action?.confirm == null) return
    setText(question, action.confirm.question)
    setAttribute(step, 'aria-label', action.confirm.question)
    setText(yes, action.confirm.yes)
    setText(no, action.confirm.no)
    // The harmless answer has the focus: a second Enter changes nothing.
    if (!wasShown) no.focus()
  }

  return {
    root,
    update(state, job) {
      const actions = actionsFor(job)
      const asked = state.confirming?.jobId === job.id ? state.confirming.action : null
      const action = actions.find(({ name }) => name === asked)
      setChildren(bar, actions.map(buttonOf))
      for (const { name } of actions) {
        const one = buttons.get(name)
        if (one !== undefined) one.disabled = state.busy !== null
      }
      setShown(bar, action === undefined)
      askedFirst(action !== undefined, action)
      setShown(permission, isHeldForPermission(job))
      setText(permission, `A person decides this on the terminal: nightkiln approve ${job.id}`)
      const said = state.notice?.jobId === job.id ? state.notice : null
      setShown(notice, said !== null)
      setText(notice, said?.text ?? '')
      setClass(notice, said?.isGood === false ? 'notice bad' : 'notice')
      opens = said?.opens ?? null
      setShown(open, opens !== null)
    },
  }
}
