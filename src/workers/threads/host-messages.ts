import type { Json } from '../../domain/job.ts'
import type { Device } from '../../domain/wire/prediction.ts'
import { type EndedAttempt, endedAttempt, type HandlerEnd, type ToManager, toManager } from './protocol.ts'

type Pong = Extract<ToManager, { kind: 'pong' }>
type ProgressItem = Extract<ToManager, { kind: 'progress' }>['items'][number]

/** Who hears what a host says, message by message. */
export interface HostHearer {
  ended(key: string, end: HandlerEnd): void
  progressed(item: ProgressItem): void
  /** Comes before the end of that attempt. */
  computesOn(key: string, device: Device): void
  answered(pong: Pong): void
  /** What it said cannot be understood. @param key of the attempt whose end it was to be; null when that cannot be told */
  unreadable(key: string | null, problem: string): void
}

/** Deeper values break what works on them by recursion. */
const deepest = 100
const problemCharacters = 300

/** Checks a message and passes it on; foreign code runs in the host, so that anything may come. */
export function hearMessage(message: object, hearer: HostHearer): void {
  const { said, problem } = understand(message)
  switch (said?.kind) {
    case 'ended':
      for (const item of said.items) hearEnd(item, hearer)
      return
    case 'device':
      for (const { key, device } of said.items) hearer.computesOn(key, device)
      return
    case 'progress':
      for (const item of said.items) hearer.progressed(item)
      return
    case 'pong':
      hearer.answered(said)
      return
    case 'welcome':
      hearer.unreadable(null, 'a second welcome')
      return
    default:
      hearUnreadable(message, problem, hearer)
  }
}

function hearEnd({ key, end, device }: EndedAttempt, hearer: HostHearer): void {
  if (device !== undefined) hearer.computesOn(key, device)
  hearer.ended(key, soundEnd(end as HandlerEnd))
}

function understand(message: object): { readonly said: ToManager | null; readonly problem: string } {
  try {
    const parsed = toManager.safeParse(message)
    if (parsed.success) return { said: parsed.data, problem: '' }
    return { said: null, problem: parsed.error.message.replace(/\s+/g, ' ').slice(0, problemCharacters) }
  } catch (error) {
    // A value that is nested too deep to be looked at.
    return { said: null, problem: (error as Error).message }
  }
}

/** One bad end must not cost the others that came with it. */
function hearUnreadable(message: object, problem: string, hearer: HostHearer): void {
  const { kind, items } = message as { readonly kind?: unknown; readonly items?: unknown }
  if (kind !== 'ended' || !Array.isArray(items) || items.length === 0) {
    hearer.unreadable(null, problem)
    return
  }
  for (const item of items as readonly unknown[]) {
    const ended = understandEnd(item)
    if (ended !== null) hearEnd(ended, hearer)
    else {
      const key = (item as { readonly key?: unknown } | null)?.key
      hearer.unreadable(typeof key === 'string' ? key : null, problem)
    }
  }
}

function understandEnd(item: unknown) {
  try {
    return endedAttempt.safeParse(item).data ?? null
  } catch {
    return null
  }
}

function soundEnd(end: HandlerEnd): HandlerEnd {
  if (end.kind !== 'completed' || !isDeeper(end.result, deepest)) return end
  const { elapsedMs, output } = end
  const message = `the result is nested deeper than ${deepest} levels`
  const error = {
    code: 'result_invalid',
    message,
    remedy: 'Correct the handler: return a result that is less deep.',
  } as const
  return { kind: 'failed', error, retry: 'never', elapsedMs, output }
}

/** True when a value has more levels of arrays and objects than that. */
export function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const one of Object.values(value)) if (isDeeper(one as Json, levels - 1)) return true
  return false
}
