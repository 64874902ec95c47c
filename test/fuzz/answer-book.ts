import { expectationOf, isRequestId } from './expectation.ts'

const subscriptionKey = 'io.modelcontextprotocol/subscriptionId'
/** Kept of what is wrong; the rest is counted. */
const mostFaults = 20
const shownBytes = 600

export interface AnswerBook {
  /** Takes bytes as they were sent, in any pieces. */
  sent(bytes: Buffer): void
  /** Takes a line of stdout. */
  received(line: string): void
  /** Requests that wait for their answer. */
  readonly waitingCount: number
  /** Waits no longer for what has not come. @returns the lines of those requests */
  giveUp(): readonly string[]
  readonly answers: number
  /** Errors without an id that came, and that are owed. */
  readonly complaints: number
  readonly complaintsOwed: number
  /** Lines of stdout that no server may write, and answers that nobody asked for. */
  readonly faults: readonly string[]
  readonly faultCount: number
}

const keyOf = (id: unknown): string => `${typeof id}:${String(id)}`

/** @returns why no server may send this, null when it may */
export function faultOf(message: Record<string, unknown>): string | null {
  if (message['jsonrpc'] !== '2.0') return 'is not JSON-RPC 2.0'
  if (Object.hasOwn(message, 'method')) {
    if (typeof message['method'] !== 'string') return 'has a method that is no string'
    return Object.hasOwn(message, 'id') && !isRequestId(message['id']) ? 'has an impossible id' : null
  }
  const [result, error] = [Object.hasOwn(message, 'result'), Object.hasOwn(message, 'error')]
  if (result === error) return 'is neither a result nor an error'
  if (result && !isRequestId(message['id'])) return 'is a result without an id'
  // JSON-RPC repeats any number, and has null where the id could not be read; MCP leaves it out.
  const { id } = message
  const isPossible = id === undefined || id === null || typeof id === 'string' || typeof id === 'number'
  if (error && !isPossible) return 'has an impossible id'
  const told = message['error'] as { code?: unknown; message?: unknown } | undefined
  if (error && (!Number.isInteger(told?.code) || typeof told?.message !== 'string')) return 'is an error without a code'
  return null
}

/** Keeps account of what a server owes and what it gave. */
export function createAnswerBook(): AnswerBook {
  /** The beginning of the lines, by their ids. */
  const open = new Map<string, string>()
  /** Ids that were asked at any time, and how many answers may still come for them. */
  const allowed = new Map<string, number>()
  const faults: string[] = []
  let faultCount = 0
  let answers = 0
  let complaints = 0
  let complaintsOwed = 0
  let rest: Buffer = Buffer.alloc(0)

  const fault = (what: string, line: string) => {
    faultCount += 1
    if (faults.length < mostFaults) faults.push(`${what}: ${line.slice(0, 300)}`)
  }

  const takeLine = (line: Buffer) => {
    const expected = expectationOf(line)
    if (expected.kind === 'complaint') complaintsOwed += 1
    else if (expected.kind === 'release') {
      open.delete(keyOf(expected.id))
    } else if (expected.kind !== 'nothing') {
      const key = keyOf(expected.id)
      if (!open.has(key)) open.set(key, line.subarray(0, shownBytes).toString('utf8'))
      // A subscription may be answered once more, when it ends.
      allowed.set(key, (allowed.get(key) ?? 0) + (expected.kind === 'subscription' ? 2 : 1))
    }
  }

  const settle = (id: unknown): boolean => {
    const key = keyOf(id)
    const left = allowed.get(key) ?? 0
    if (left === 0) return false
    if (left === 1) allowed.delete(key)
    else allowed.set(key, left - 1)
    // Who uses an id twice at a time is owed one answer.
    open.delete(key)
    return true
  }

  return {
    sent(bytes) {
      let start = 0
      for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, start)) {
        takeLine(Buffer.concat([rest, bytes.subarray(start, at)]))
        rest = Buffer.alloc(0)
        start = at + 1
      }
      if (start < bytes.length) rest = Buffer.concat([rest, bytes.subarray(start)])
    },
    received(line) {
      let message: Record<string, unknown>
      try {
        message = JSON.parse(line) as Record<string, unknown>
      } catch {
        fault('is not JSON', line)
        return
      }
      const why = faultOf(message)
      if (why !== null) {
        fault(why, line)
        return
      }
      if (Object.hasOwn(message, 'method')) {
        if (message['method'] !== 'notifications/subscriptions/acknowledged') return
        const params = message['params'] as { _meta?: Record<string, unknown> } | undefined
        if (!settle(params?._meta?.[subscriptionKey])) fault('acknowledges what nobody asked for', line)
        return
      }
      if (!isRequestId(message['id'])) {
        complaints += 1
        return
      }
      answers += 1
      if (!settle(message['id'])) fault('answers what nobody asked', line)
    },
    giveUp() {
      const lines = [...open.values()]
      open.clear()
      return lines
    },
    get waitingCount() {
      return open.size
    },
    get answers() {
      return answers
    },
    get complaints() {
      return complaints
    },
    get complaintsOwed() {
      return complaintsOwed
    },
    faults,
    get faultCount() {
      return faultCount
    },
  }
}
