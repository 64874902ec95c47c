const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

function pair(value: number, large: number, largeName: string, small: number, smallName: string): string {
  const whole = Math.floor(value / large)
  const rest = Math.floor((value % large) / small)
  return rest === 0 ? `${whole} ${largeName}` : `${whole} ${largeName} ${rest} ${smallName}`
}

/**
 * A length of time for people, at most two units: "340 ms", "2.4 s", "40 s", "3 m 12 s", "2 h 5 m", "3 d 4 h".
 * @param ms milliseconds; what is below zero counts as zero
 */
export function formatDuration(ms: number): string {
  const value = Math.max(0, Math.round(ms))
  if (value < second) return `${value} ms`
  if (value < 10 * second) return `${Number((value / second).toFixed(1))} s`
  // Rounded before the unit is chosen: 59.7 s is "1 m", never "60 s".
  const seconds = Math.round(value / second) * second
  if (seconds < minute) return `${seconds / second} s`
  if (seconds < hour) return pair(seconds, minute, 'm', second, 's')
  if (seconds < day) return pair(seconds, hour, 'h', minute, 'm')
  return pair(seconds, day, 'd', hour, 'h')
}
