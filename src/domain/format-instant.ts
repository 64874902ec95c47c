/**
 * A moment for people, to the minute: "2026-11-22 02:15 UTC".
 * @param ms wall time in ms
 */
export function formatInstant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
