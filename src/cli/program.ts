import { Command } from 'commander'
import { version } from '../config/version.ts'
import { QueueError } from '../domain/errors.ts'
import type { CommandRunner } from './command-runner.ts'
import { addUnitsCommand } from './commands/add-units.ts'
import { cancelCommand } from './commands/cancel.ts'
import { approveCommand, rejectCommand } from './commands/decide.ts'
import { deleteCommand } from './commands/delete.ts'
import { demoCommand } from './commands/demo.ts'
import { doctorCommand } from './commands/doctor.ts'
import { exportCommand } from './commands/export.ts'
import { gpuCommand } from './commands/gpu.ts'
import { listCommand } from './commands/list.ts'
import { logsCommand } from './commands/logs.ts'
import { managerCommand } from './commands/manager.ts'
import { mcpCommand } from './commands/mcp.ts'
import { newCommand } from './commands/new.ts'
import { newHandlerCommand } from './commands/new-handler.ts'
import { pauseCommand, resumeCommand } from './commands/pause.ts'
import { queueCommand } from './commands/queue.ts'
import { rerunCommand } from './commands/rerun.ts'
import { resultCommand } from './commands/result.ts'
import { scheduleCommand } from './commands/schedule.ts'
import { sendCommand } from './commands/send.ts'
import { setupCommand } from './commands/setup.ts'
import { statusCommand } from './commands/status.ts'
import { submitCommand } from './commands/submit.ts'
import { tokenCommand } from './commands/token.ts'
import { typesCommand } from './commands/types.ts'
import { unitsCommand } from './commands/units.ts'
import { updateCommand } from './commands/update.ts'
import { waitCommand } from './commands/wait.ts'
import { workerCommand } from './commands/worker.ts'

/** Errors of the parser are thrown, and told by report-error alone. */
function quiet(command: Command): void {
  command
    .exitOverride()
    .helpOption('-h, --help', 'show help')
    // What is left for writeErr is the help of a group that was called without a command.
    .configureOutput({ writeErr: (text) => void process.stdout.write(text), outputError: () => {} })
  for (const child of command.commands) quiet(child)
}

/** The help command of the parser answers a name that it does not know with the help of everything. */
function addHelpCommands(group: Command, runner: CommandRunner): void {
  if (group.commands.length === 0) return
  for (const child of group.commands) addHelpCommands(child, runner)
  const help = new Command('help')
    .argument('[command...]')
    .summary('Show help for a command')
    .description('Show help for a command.')
    .action(
      runner.act(async (_session, _options: object, names: readonly string[]) => {
        let target = group
        for (const name of names) {
          const child = target.commands.find((command) => command.name() === name || command.aliases().includes(name))
          if (child === undefined) {
            throw new QueueError('invalid_input', `unknown command "${name}"`, {
              remedy: 'Look at nightkiln --help for the commands.',
            })
          }
          target = child
        }
        target.outputHelp()
        return 0
      }),
    )
  group.helpCommand(false).addCommand(help)
}

/** @returns the whole command line; also the source of docs/cli.md. */
export function buildProgram(runner: CommandRunner): Command {
  const program = new Command('nightkiln')
    .description('A job queue that does not die with the chat, the terminal or the manager.')
    .version(version, '-V, --version', 'print the version')
    .option('--json', 'print one JSON value and nothing else')
    .showSuggestionAfterError(true)
  for (const make of [
    submitCommand,
    listCommand,
    statusCommand,
    waitCommand,
    unitsCommand,
    logsCommand,
    resultCommand,
    approveCommand,
    rejectCommand,
    pauseCommand,
    resumeCommand,
    cancelCommand,
    rerunCommand,
    updateCommand,
    addUnitsCommand,
    sendCommand,
    newCommand,
    queueCommand,
    scheduleCommand,
    exportCommand,
    deleteCommand,
    typesCommand,
    newHandlerCommand,
    gpuCommand,
    managerCommand,
    workerCommand,
    doctorCommand,
    setupCommand,
    demoCommand,
    mcpCommand,
    tokenCommand,
  ]) {
    program.addCommand(make(runner))
  }
  addHelpCommands(program, runner)
  quiet(program)
  return program
}
