import { cutText } from '../domain/cut-text.ts'

type Answer = Readonly<Record<string, unknown>>

/** Texts that are arguments of a later call are whole or not there. */
const untouched: ReadonlySet<string> = new Set([
  'id',
  'ids',
  'missing',
  'job_id',
  'rerun_of',
  'reruns',
  'cursor',
  'next_cursor',
  'next',
])
/** Places, which a cut makes useless: cut only when nothing else is left to cut. */
const places: ReadonlySet<string> = new Set(['path', 'file', 'state_directory', 'name', 'key', 'sha256'])

/** No id, time, state or code is longer. */
const shortestCut = 64
const mildestCut = 400
const fewMembers = 3

interface Caps {
  /** Characters of a text. */
  readonly text: number
  /** Members of a list, and of an object whose keys are not the answer's own. */
  readonly members: number
  readonly cutPlaces: boolean
}

/**
 * Makes an answer fit that is still too long after its tool's own cuts: first the longest texts, then the longest lists from
 * their end. Ids and cursors stay whole, and `next` says that something was left out and how to get it.
 * @param rest the sentence with the call that gets what was left out
 * @returns the answer in at most `most` characters of JSON, unless even its frame is longer
 */
export function shrunk(answer: Answer, most: number, rest: string): Answer {
  const noted = withNote(answer, rest)
  const isFit = (caps: Caps) => length(capped(noted, caps)) <= most
  const all: Caps = { text: Number.MAX_SAFE_INTEGER, members: Number.MAX_SAFE_INTEGER, cutPlaces: false }
  const rounds: readonly ((by: number) => Caps)[] = [
    (by) => ({ ...all, text: mildestCut + by }),
    (by) => ({ ...all, text: mildestCut, members: fewMembers + by }),
    (by) => ({ ...all, text: shortestCut, members: fewMembers + by }),
    (by) => ({ text: shortestCut, members: by, cutPlaces: true }),
  ]
  for (const round of rounds) {
    if (!isFit(round(0))) continue
    return capped(noted, round(largest((by) => isFit(round(by)), most)))
  }
  return capped(noted, { text: shortestCut, members: 0, cutPlaces: true })
}

function withNote(answer: Answer, rest: string): Answer {
  const { next } = answer
  return typeof next === 'string' && !next.includes(rest) ? { ...answer, next: `${next} ${rest}` } : answer
}

/** @returns the largest number up to `most` for which a condition holds that holds for 0 and, once lost, never again. */
function largest(holds: (by: number) => boolean, most: number): number {
  let low = 0
  let high = most
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (holds(middle)) low = middle
    else high = middle - 1
  }
  return low
}

function length(value: unknown): number {
  return JSON.stringify(value).length
}

/** Values of these keys are any JSON, or have keys that people chose. */
const free: ReadonlySet<string> = new Set([
  'result',
  'final_result',
  'params',
  'limits',
  'labels',
  'before',
  'after',
  'example',
  'params_schema',
  'unit_schema',
  'result_schema',
])

function capped(answer: Answer, caps: Caps): Answer {
  return cap(answer, caps, '', false) as Answer
}

function cap(value: unknown, caps: Caps, key: string, isFree: boolean): unknown {
  if (typeof value === 'string') {
    if (!isFree && (untouched.has(key) || (places.has(key) && !caps.cutPlaces))) return value
    return shortened(value, caps.text)
  }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.slice(0, caps.members).map((item) => cap(item, caps, key, isFree))
  const entries = Object.entries(value)
  const kept = isFree ? entries.slice(0, caps.members).filter(([name]) => name.length <= caps.text) : entries
  return Object.fromEntries(kept.map(([name, item]) => [name, cap(item, caps, name, isFree || free.has(name))]))
}

/** @returns a text of at most `most` characters that says how many are missing. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  const note = (left: number) => ` … (${left} characters left out)`
  const kept = most - note(text.length).length
  const head = cutText(text, kept, '')
  return `${head}${note(text.length - head.length)}`
}
