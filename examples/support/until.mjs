import { setTimeout as delay } from 'node:timers/promises'

const pauseMs = 40

/**
 * Looks again and again until something is true.
 * @param condition may be asynchronous; what it returns is true or not
 * @returns what the condition returned
 * @throws Error when it does not become true
 */
export async function until(what, condition, longestMs = 30_000) {
  const deadline = performance.now() + longestMs
  for (;;) {
    const value = await condition()
    if (value) return value
    if (performance.now() > deadline) throw new Error(`waited ${longestMs / 1000} s in vain: ${what}`)
    await delay(pauseMs)
  }
}
