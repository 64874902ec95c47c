import { type ProgressParser, type ProgressReading, reading } from './progress-parser.ts'

/** `0.4`, `40%`, `40/100`, or a number above 1 as percent. */
const value = String.raw`(\d+(?:\.\d+)?)(?:\s*(%)|\s*/\s*(\d+(?:\.\d+)?))?`
const pattern = new RegExp(String.raw`^\s*(?:progress:|::progress(?:::)?)\s*${value}(?:[\s,:;-]+(.*))?$`, 'i')

/** `progress: 0.4 message` and `::progress 40/100 message`. */
export function createExplicitParser(): ProgressParser {
  return {
    name: 'explicit',
    explicit: true,
    parse(line) {
      const match = pattern.exec(line)
      return match === null ? null : readValue(Number(match[1]), match[2] === '%', match[3], match[4])
    },
  }
}

function readValue(
  current: number,
  percent: boolean,
  end: string | undefined,
  message?: string,
): ProgressReading | null {
  if (end !== undefined) return reading(current, Number(end), message)
  if (percent || current > 1) return current > 100 ? null : reading(current, 100, message)
  return reading(current, 1, message)
}
