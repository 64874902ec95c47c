const longestLine = 4096
const boringEnd = 8192

/**
 * Cuts a stream of bytes into lines at newlines and carriage returns; holds at most one bounded line. Of a piece in which
 * nothing interesting stands only the end is cut: a flood of plain lines costs one search.
 */
export interface LineSplitter {
  /** @returns complete lines; `skipped`: bytes before these are missing, so the half line before is void */
  push(bytes: Uint8Array, skipped: boolean): readonly string[]
  /** @returns the line that has no end yet; '' when there is none */
  unfinished(): string
}

export function createLineSplitter(interesting: RegExp): LineSplitter {
  let decoder = new TextDecoder('utf-8')
  let rest = ''
  return {
    push(bytes, skipped) {
      if (skipped) {
        decoder = new TextDecoder('utf-8')
        rest = ''
      }
      const whole = rest + decoder.decode(bytes, { stream: true })
      const isBoring = whole.length > boringEnd && !interesting.test(whole)
      const lines = (isBoring ? whole.slice(-boringEnd) : whole).split(/[\r\n]+/)
      rest = shorten(lines.pop() ?? '')
      // After a gap the first line is the end of one.
      return (skipped || isBoring ? lines.slice(1) : lines).map(shorten)
    },
    unfinished: () => rest,
  }
}

/** The end of an overlong line says more than its beginning: bars are drawn over with backspaces or spaces. */
function shorten(line: string): string {
  return line.length <= longestLine ? line : line.slice(-longestLine)
}
