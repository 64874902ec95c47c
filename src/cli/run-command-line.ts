import { CommanderError } from 'commander'
import { createCommandRunner } from './command-runner.ts'
import { createTerminal } from './display/terminal.ts'
import { buildProgram } from './program.ts'
import { fromCommander, reportError } from './report-error.ts'
import { processEnvironment } from './session.ts'

/** A reader that went away (`nightkiln list | head -1`) is no error. */
function exitQuietlyOnClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1)
  })
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve())
  })
}

/** Runs one command line and ends the process with its exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  exitQuietlyOnClosedPipe(process.stdout)
  exitQuietlyOnClosedPipe(process.stderr)
  const interruption = new AbortController()
  process.on('SIGINT', () => {
    if (interruption.signal.aborted) process.exit(130)
    interruption.abort()
  })
  const streams = { stdout: process.stdout, stderr: process.stderr }
  const cli = processEnvironment(interruption.signal)
  const runner = createCommandRunner(cli, streams)
  try {
    await buildProgram(runner).parseAsync([...argv], { from: 'user' })
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? fromCommander(thrown, argv) : thrown
    if (error !== null) {
      const end = argv.indexOf('--')
      const json = (end === -1 ? argv : argv.slice(0, end)).includes('--json')
      const terminal = createTerminal(streams, cli.environment, json)
      runner.exitCode = reportError(error, { terminal, json, interrupted: interruption.signal })
    }
  }
  await Promise.all([flushed(process.stdout), flushed(process.stderr)])
  process.exit(runner.exitCode)
}
