const deepest = 100

interface Place {
  readonly value: unknown
  readonly path: string
  readonly depth: number
}

/**
 * What JSON would lose or cannot say. Properties that are undefined are left out, as JSON.stringify does; what has a `toJSON`,
 * such as a Date, is taken as what that returns.
 * @param name what the value is called in the sentence, such as "result"
 * @returns a sentence such as "result.items[3].n is a BigInt", or null
 */
export function jsonProblem(root: unknown, name: string): string | null {
  const waiting: Place[] = [{ value: root, path: name, depth: 0 }]
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const { path, depth } = place
    const value = plainForm(place.value)
    const flaw = flawOf(value)
    if (flaw !== null) return `${path} ${flaw}`
    if (typeof value !== 'object' || value === null) continue
    // A value within itself has no end.
    if (depth >= deepest) return `${name} is nested more than ${deepest} levels deep, or holds itself`
    pushChildren(waiting, value, path, depth + 1)
  }
  return null
}

function pushChildren(waiting: Place[], value: object, path: string, depth: number): void {
  if (Array.isArray(value)) {
    for (let index = value.length - 1; index >= 0; index -= 1)
      if (mayBeWrong(value[index])) waiting.push({ value: value[index], path: `${path}[${index}]`, depth })
    return
  }
  for (const [key, child] of Object.entries(value).reverse())
    if (child !== undefined && mayBeWrong(child)) waiting.push({ value: child, path: join(path, key), depth })
}

/** Most values are texts and flags; they need no look. */
function mayBeWrong(value: unknown): boolean {
  return typeof value !== 'string' && typeof value !== 'boolean' && value !== null
}

function plainForm(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { toJSON } = value as { toJSON?: unknown }
  return typeof toJSON === 'function' ? toJSON.call(value, '') : value
}

function flawOf(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return null
    case 'number':
      return Number.isFinite(value) ? null : `is ${value}, which JSON does not have`
    case 'bigint':
      return 'is a BigInt'
    case 'undefined':
      return 'is undefined'
    case 'object':
      return value === null || Array.isArray(value) ? null : classFlaw(value)
    default:
      return `is a ${typeof value}`
  }
}

/** Such as a Map, of which JSON would keep nothing. */
function classFlaw(value: object): string | null {
  const prototype: unknown = Object.getPrototypeOf(value)
  // Another realm's Object.prototype has no prototype either.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return null
  const hidden =
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Error ||
    value instanceof Promise ||
    value instanceof RegExp ||
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer
  return hidden ? `is a ${value.constructor.name}` : null
}

function join(path: string, key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`
}
