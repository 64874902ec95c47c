import { Command } from 'commander'
import { createTerminal, type TerminalStreams } from './display/terminal.ts'
import { reportError } from './report-error.ts'
import { type CliEnvironment, createSession, type Session } from './session.ts'

type Action<Options, Arguments extends readonly unknown[]> = (
  session: Session,
  options: Options,
  ...positionals: Arguments
) => Promise<number>

/** Turns a function of (session, options, arguments) into an action of commander; keeps the exit code. */
export interface CommandRunner {
  exitCode: number
  act<Options, Arguments extends readonly unknown[]>(
    action: Action<Options, Arguments>,
  ): (...given: unknown[]) => Promise<void>
}

/** @returns a runner that reports errors for people or as JSON and always closes what the command opened. */
export function createCommandRunner(cli: CliEnvironment, streams: TerminalStreams): CommandRunner {
  const runner: CommandRunner = {
    exitCode: 0,
    act<Options, Arguments extends readonly unknown[]>(action: Action<Options, Arguments>) {
      return async (...given: unknown[]) => {
        const command = given.at(-1) as Command
        const options = command.optsWithGlobals() as Options & { json?: boolean }
        const json = options.json === true
        const terminal = createTerminal(streams, cli.environment, json)
        const session = createSession(cli, terminal, json)
        try {
          runner.exitCode = await action(session, options, ...(given.slice(0, -2) as unknown as Arguments))
        } catch (thrown) {
          runner.exitCode = reportError(thrown, session)
        } finally {
          terminal.liveEnd()
          await session.close()
        }
      }
    },
  }
  return runner
}

/** @returns a command that has `--json`, as every command of the program has. */
export function jsonCommand(name: string, summary: string): Command {
  return new Command(name)
    .summary(summary)
    .description(`${summary}.`)
    .option('--json', 'print one JSON value and nothing else')
}
