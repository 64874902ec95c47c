/** Well under the 64 KiB that a pipe holds for a client that never reads our stderr: a full one would block this process. */
const mostBytes = 32 * 1024
const longestLine = 500

/**
 * @param write puts a line where people look for what went wrong
 * @returns a reporter that falls silent, and says so, once it has said a lot: a client can provoke any number of reports
 */
export function createBoundedReport(write: (line: string) => void): (thrown: unknown) => void {
  let left = mostBytes
  return (thrown) => {
    if (left <= 0) return
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    const line = `nightkiln: ${message.slice(0, longestLine)}\n`
    left -= Buffer.byteLength(line)
    write(left > 0 ? line : 'nightkiln: so much was reported that nothing more is\n')
  }
}
