import { z } from 'zod'

/** As zod infers it of `z.json()`. */
type JsonValue = z.infer<ReturnType<typeof z.json>>

/** Deeper values are refused: what walks them must not run out of stack. */
const deepest = 100

/** What is wrong with a value, and where. */
interface Flaw {
  readonly path: readonly (string | number)[]
  readonly message: string
}

interface Place {
  readonly value: unknown
  readonly depth: number
  readonly parent: Place | null
  readonly key: string | number
}

/** @returns the first thing in a value that JSON.parse made which JSON cannot say again, or null */
function findFlaw(root: unknown): Flaw | null {
  const waiting: Place[] = [{ value: root, depth: 0, parent: null, key: '' }]
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const message = flawOf(place)
    if (message !== null) return { path: pathOf(place), message }
    const { value, depth } = place
    if (typeof value !== 'object' || value === null) continue
    if (Array.isArray(value)) {
      for (let key = value.length - 1; key >= 0; key -= 1) pushUnlessPlain(waiting, value[key], depth, place, key)
    } else {
      for (const key in value) pushUnlessPlain(waiting, (value as Record<string, unknown>)[key], depth, place, key)
    }
  }
  return null
}

/** Most values are texts; they need no look. */
function pushUnlessPlain(waiting: Place[], value: unknown, depth: number, parent: Place, key: string | number): void {
  if (typeof value !== 'string') waiting.push({ value, depth: depth + 1, parent, key })
}

function flawOf({ value, depth }: Place): string | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return null
    case 'number':
      return Number.isFinite(value) ? null : 'is a number that is too large'
    case 'object':
      return depth > deepest ? `is nested more than ${deepest} levels deep` : null
    default:
      return 'is not JSON'
  }
}

function pathOf(place: Place): (string | number)[] {
  return place.parent === null ? [] : [...pathOf(place.parent), place.key]
}

function refuseFlaws(value: unknown, issue: z.core.$RefinementCtx): void {
  const flaw = findFlaw(value)
  if (flaw !== null) issue.addIssue({ code: 'custom', path: [...flaw.path], message: flaw.message })
}

// z.json() says the same, but builds every value anew: 28 ms for 10,000 units, in which the manager answers nobody.
const anything = z.any() as unknown as z.ZodType<JsonValue, JsonValue>

/** A list of values of any JSON. */
export const jsonList = (most: number) => z.array(anything).max(most).superRefine(refuseFlaws)

/** An object of any JSON. */
export const jsonObject = z.record(z.string(), anything).superRefine(refuseFlaws)
