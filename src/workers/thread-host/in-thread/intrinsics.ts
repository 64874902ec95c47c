/** What foreign code may replace later, as it was before any was loaded. */
export const { parse: parseJson, stringify: writeJson } = JSON
export const { setTimeout: startTimer, clearTimeout: stopTimer } = globalThis
export const { isFinite: isFiniteNumber } = Number
const hrtime = process.hrtime.bigint

/** @returns ms of the clock that all threads share: it never jumps, and stands still in suspend */
export function monotonicMs(): number {
  return Number(hrtime()) / 1e6
}
