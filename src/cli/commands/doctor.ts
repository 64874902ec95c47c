import type { Command } from 'commander'
import { QueueError } from '../../domain/errors.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { forCommandLine } from '../display/for-command-line.ts'
import { counted } from '../display/quantities.ts'
import { wrapText } from '../display/text-width.ts'
import type { Check } from '../doctor/check.ts'
import { runChecks } from '../doctor/run-checks.ts'
import { runProbe } from '../doctor/run-probe.ts'
import { outcomeExitCodes } from '../exit-codes.ts'
import type { Session } from '../session.ts'

const indent = ' '.repeat(9)

export function doctorCommand(runner: CommandRunner): Command {
  return jsonCommand('doctor', 'Check the installation, the state directory and the manager')
    .addHelpText(
      'after',
      `\nExit code ${outcomeExitCodes.problem_found.code} when there is a problem; warnings do not count.\n`,
    )
    .option('--accept-database', 'accept a database that was restored on purpose, which the manager refuses')
    .action(runner.act(doctor))
}

async function doctor(session: Session, options: { readonly acceptDatabase?: true }): Promise<number> {
  if (options.acceptDatabase === true) return acceptDatabase(session)
  const { terminal } = session
  const { colors } = terminal
  const marks = { ok: colors.green('ok'), warning: colors.yellow('warning'), problem: colors.red('problem') }
  const told: Check[] = []
  for await (const check of runChecks(session)) {
    told.push(check)
    if (session.json) continue
    const mark = `${marks[check.status]}${' '.repeat(indent.length - check.status.length)}`
    tell(session, `${mark}${check.title}: ${terminal.harmless(check.detail)}`)
    if (check.remedy !== null) tell(session, `${indent}${terminal.harmless(forCommandLine(check.remedy))}`)
  }
  const problems = told.filter((check) => check.status === 'problem').length
  const warnings = told.filter((check) => check.status === 'warning').length
  if (session.json) terminal.value({ healthy: problems === 0, problems, warnings, checks: told })
  else
    terminal.line(`${problems === 0 ? 'no problems' : counted(problems, 'problem')}, ${counted(warnings, 'warning')}`)
  return problems === 0 ? 0 : outcomeExitCodes.problem_found.code
}

function tell({ terminal }: Session, text: string): void {
  const lines = terminal.stdoutIsTerminal ? wrapText(text, terminal.columns - 1, indent) : [text]
  for (const line of lines) terminal.line(line)
}

/** The one thing that doctor changes, and only when it is asked for. */
function acceptDatabase(session: Session): number {
  const { terminal } = session
  const home = session.home()
  const answer = runProbe([], { ...session.environment, NIGHTKILN_HOME: home }, 'accept-database')
  if (!answer.ok) {
    throw new QueueError(
      'storage_refused',
      answer.message,
      answer.remedy === undefined ? {} : { remedy: answer.remedy },
    )
  }
  if (session.json) terminal.value({ accepted: true, events: answer.events ?? 0 })
  else terminal.line(`the database in ${home} is accepted as it is; the next manager starts with it`)
  return 0
}
