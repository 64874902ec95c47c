import { type ProgressParser, reading } from './progress-parser.ts'

const duration = /\bDuration: (\d+):(\d\d):(\d\d(?:\.\d+)?)/
const outTime = /\b(?:out_time|time)=\s*(\d+):(\d\d):(\d\d(?:\.\d+)?)/
/** Both count microseconds, whatever the older name says. */
const outMicroseconds = /^out_time_(?:ms|us)=(\d+)$/

/** ffmpeg: `out_time=` or `time=` in seconds of the `Duration:` printed before. */
export function createFfmpegParser(): ProgressParser {
  let total: number | null = null
  return {
    name: 'ffmpeg',
    explicit: false,
    parse(line) {
      const length = duration.exec(line)
      if (length !== null) {
        // Of several inputs the longest decides.
        total = Math.max(total ?? 0, seconds(length)) || null
        return null
      }
      const micro = outMicroseconds.exec(line)
      if (micro !== null) return reading(Number(micro[1]) / 1e6, total)
      const time = outTime.exec(line)
      return time === null ? null : reading(seconds(time), total)
    },
  }
}

function seconds(match: RegExpExecArray): number {
  return Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3])
}
