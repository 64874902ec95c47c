export interface WaitOptions {
  /** Longest wait in ms; default 20 s. */
  readonly timeoutMs?: number
  /** Pause between two looks in ms; default 20. */
  readonly intervalMs?: number
  /** What is waited for, for the message. */
  readonly what?: string
}

function shown(value: unknown): string {
  if (value instanceof Error) return value.message
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}

/**
 * Looks until the condition gives a value that is neither false, null nor undefined. A throw counts as "not yet".
 * @returns that value
 * @throws Error after the deadline, with the last value or error seen
 */
export async function waitUntil<Value>(
  condition: () => Value | Promise<Value>,
  options: WaitOptions = {},
): Promise<Exclude<Value, false | null | undefined>> {
  const { timeoutMs = 20_000, intervalMs = 20, what = 'the condition' } = options
  const started = performance.now()
  let last: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value !== false && value !== null && value !== undefined) {
        return value as Exclude<Value, false | null | undefined>
      }
      last = value
    } catch (error) {
      last = error
    }
    if (performance.now() - started > timeoutMs) {
      throw new Error(`${what} did not come true within ${timeoutMs} ms; last seen: ${shown(last)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs))
  }
}
