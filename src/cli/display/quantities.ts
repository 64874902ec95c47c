import prettyBytes from 'pretty-bytes'
import { formatDuration } from '../../domain/format-duration.ts'

/** @returns a length in seconds as text for people. */
export function formatSeconds(seconds: number): string {
  return formatDuration(seconds * 1000)
}

/** @returns a number with its noun: "1 warning", "2 warnings". */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** @returns how long ago (or ahead) a wire time lies, in one unit: "12 s ago", "in 3 h". */
export function formatAge(timestamp: string, now: number): string {
  const seconds = (now - Date.parse(timestamp)) / 1000
  const size = Math.abs(seconds)
  const text =
    size < 60
      ? `${Math.round(size)} s`
      : size < 3600
        ? `${Math.round(size / 60)} min`
        : size < 86_400
          ? `${Math.round(size / 3600)} h`
          : `${Math.round(size / 86_400)} d`
  return seconds >= 0 ? `${text} ago` : `in ${text}`
}

/** @returns a wire time as local date and time: "2026-11-21 23:40:05". */
export function formatTime(timestamp: string): string {
  const time = new Date(timestamp)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
}

export function formatBytes(bytes: number): string {
  return prettyBytes(bytes, { binary: true, space: true })
}
