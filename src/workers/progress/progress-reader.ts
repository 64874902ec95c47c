import type { Progress } from '../../domain/job.ts'
import {
  createBuildParser,
  createCurlParser,
  createPercentParser,
  createPytestParser,
  createRsyncParser,
  createTqdmParser,
} from './bar-progress.ts'
import { cleanMessage, stripTerminal } from './clean-line.ts'
import { createExplicitParser } from './explicit-progress.ts'
import { createFfmpegParser } from './ffmpeg-progress.ts'
import { createJsonParser } from './json-progress.ts'
import { createLineSplitter } from './line-splitter.ts'
import type { ProgressParser, ProgressReading } from './progress-parser.ts'

/** In order: the first that recognises a line reads it. */
const parsers: readonly (() => ProgressParser)[] = [
  createExplicitParser,
  createJsonParser,
  createFfmpegParser,
  createTqdmParser,
  createRsyncParser,
  createCurlParser,
  createPytestParser,
  createBuildParser,
  createPercentParser,
]

/** Only such lines can be of interest to a parser; keeps a flood of plain lines cheap. */
const interesting = /%|\[ *\d+\/|progress|"current"|time[_=]|Duration:|\d:\d\d:\d\d\s|--:--:--/i
/** Of one piece the last lines are parsed, and of those before only so many interesting ones: a flood must stay cheap. */
const lastLines = 100
const earlierLines = 300

/** Reads the progress of one command out of its output. */
export interface ProgressReader {
  push(bytes: Uint8Array, skipped: boolean): void
  /** The output rests: reads the line that has no end yet. */
  rest(): void
  latest(): Progress | null
}

export function createProgressReader(): ProgressReader {
  const table = parsers.map((create) => create())
  const splitter = createLineSplitter(interesting)
  let latest: Progress | null = null
  let explicit = false
  let explicitMessage: string | null = null
  let lastUnfinished = ''

  const isBackwards = (next: ProgressReading): boolean => {
    if (latest?.total == null || next.total === null) return false
    const before = latest.current / latest.total
    // A finished bar may be followed by the next one.
    return before < 1 && next.current / next.total < before
  }

  const readLine = (raw: string): void => {
    const line = stripTerminal(raw)
    const message = cleanMessage(line)
    if (message === '') return
    if (interesting.test(line)) {
      for (const parser of table) {
        if (explicit && !parser.explicit) break
        const found = parser.parse(line)
        if (found === null) continue
        explicit ||= parser.explicit
        if (!parser.explicit && isBackwards(found)) return
        const said = found.message === null ? null : cleanMessage(found.message)
        if (parser.explicit) explicitMessage = said ?? explicitMessage
        // An explicit line without a message leaves the one before; a bar without a label is its own.
        const text = said ?? (parser.explicit ? (latest?.message ?? null) : message)
        latest = { current: found.current, total: found.total, message: text, stage: null }
        return
      }
    }
    if (latest === null) latest = { current: 0, total: null, message, stage: null }
    else if (explicitMessage === null) latest = { ...latest, message }
  }

  return {
    push(bytes, skipped) {
      const lines = splitter.push(bytes, skipped)
      const last = lines.length - lastLines
      let budget = earlierLines
      for (const [at, line] of lines.entries()) {
        if (at >= last) readLine(line)
        else if (budget > 0 && interesting.test(line)) {
          budget--
          readLine(line)
        }
      }
      lastUnfinished = ''
    },
    rest() {
      const line = splitter.unfinished()
      if (line === lastUnfinished) return
      lastUnfinished = line
      readLine(line)
    },
    latest: () => latest,
  }
}
