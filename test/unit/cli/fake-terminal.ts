import { createTerminal, type Terminal } from '../../../src/cli/display/terminal.ts'

export interface FakeTerminal {
  readonly terminal: Terminal
  readonly streams: Parameters<typeof createTerminal>[0]
  stdout(): string
  stderr(): string
}

/** A terminal over memory; `isTTY` makes it one that a person watches. */
export function fakeTerminal(
  options: {
    isTTY?: boolean
    columns?: number
    /** Asked at every draw: a test may resize the window. */
    size?: { columns: number; rows?: number }
    json?: boolean
    environment?: NodeJS.ProcessEnv
  } = {},
): FakeTerminal {
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[name] += text
      return true
    },
    isTTY: options.isTTY ?? false,
    get columns() {
      return options.size?.columns ?? options.columns ?? 80
    },
    get rows() {
      return options.size?.rows ?? 24
    },
  })
  const streams = { stdout: stream('stdout'), stderr: stream('stderr') }
  return {
    terminal: createTerminal(
      streams,
      options.environment ?? { NO_COLOR: '1', LANG: 'en_US.UTF-8' },
      options.json ?? false,
    ),
    streams,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
  }
}
