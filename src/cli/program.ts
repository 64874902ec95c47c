import { Command } from 'commander'
import { version } from '../config/version.ts'
import type { CommandRunner } from './command-runner.ts'
import { cancelCommand } from './commands/cancel.ts'
import { demoCommand } from './commands/demo.ts'
import { doctorCommand } from './commands/doctor.ts'
import { listCommand } from './commands/list.ts'
import { logsCommand } from './commands/logs.ts'
import { managerCommand } from './commands/manager.ts'
import { mcpCommand } from './commands/mcp.ts'
import { newCommand } from './commands/new.ts'
import { rerunCommand } from './commands/rerun.ts'
import { resultCommand } from './commands/result.ts'
import { setupCommand } from './commands/setup.ts'
import { statusCommand } from './commands/status.ts'
import { submitCommand } from './commands/submit.ts'
import { typesCommand } from './commands/types.ts'
import { waitCommand } from './commands/wait.ts'

/** Errors of the parser are thrown, and told by report-error alone. */
function quiet(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => {}, outputError: () => {} })
  for (const child of command.commands) quiet(child)
}

/** @returns the whole command line; also the source of docs/cli.md. */
export function buildProgram(runner: CommandRunner): Command {
  const program = new Command('nightkiln')
    .description('A job queue that does not die with the chat, the terminal or the manager.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showSuggestionAfterError(true)
  for (const make of [
    submitCommand,
    listCommand,
    statusCommand,
    waitCommand,
    logsCommand,
    resultCommand,
    cancelCommand,
    rerunCommand,
    newCommand,
    typesCommand,
    managerCommand,
    doctorCommand,
    setupCommand,
    demoCommand,
    mcpCommand,
  ]) {
    program.addCommand(make(runner))
  }
  quiet(program)
  return program
}
