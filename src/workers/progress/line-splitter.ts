const longestLine = 4096

/** Cuts a stream of bytes into lines at newlines and carriage returns; holds at most one bounded line. */
export interface LineSplitter {
  /** @returns complete lines; `skipped`: bytes before these are missing, so the half line before is void */
  push(bytes: Uint8Array, skipped: boolean): readonly string[]
  /** @returns the line that has no end yet; '' when there is none */
  unfinished(): string
}

export function createLineSplitter(): LineSplitter {
  let decoder = new TextDecoder('utf-8')
  let rest = ''
  return {
    push(bytes, skipped) {
      if (skipped) {
        decoder = new TextDecoder('utf-8')
        rest = ''
      }
      const lines = (rest + decoder.decode(bytes, { stream: true })).split(/[\r\n]+/)
      rest = shorten(lines.pop() ?? '')
      // After a gap the first line is the end of one.
      return (skipped ? lines.slice(1) : lines).map(shorten)
    },
    unfinished: () => rest,
  }
}

/** The end of an overlong line says more than its beginning: bars are drawn over with backspaces or spaces. */
function shorten(line: string): string {
  return line.length <= longestLine ? line : line.slice(-longestLine)
}
