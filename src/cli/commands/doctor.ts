import type { Command } from 'commander'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import type { Check } from '../doctor/check.ts'
import { runChecks } from '../doctor/run-checks.ts'
import { outcomeExitCodes } from '../exit-codes.ts'
import type { Session } from '../session.ts'

export function doctorCommand(runner: CommandRunner): Command {
  return jsonCommand('doctor', 'Check the installation, the state directory and the manager; changes nothing')
    .addHelpText(
      'after',
      `\nExit code ${outcomeExitCodes.problem_found.code} when there is a problem; warnings do not count.\n`,
    )
    .action(runner.act(doctor))
}

async function doctor(session: Session): Promise<number> {
  const { terminal } = session
  const { colors } = terminal
  const marks = { ok: colors.green('ok'), warning: colors.yellow('warning'), problem: colors.red('problem') }
  const told: Check[] = []
  for await (const check of runChecks(session)) {
    told.push(check)
    if (session.json) continue
    terminal.line(
      `${marks[check.status]}${' '.repeat(9 - check.status.length)}${check.title}: ${terminal.harmless(check.detail)}`,
    )
    if (check.remedy !== null) terminal.line(`         ${terminal.harmless(check.remedy)}`)
  }
  const problems = told.filter((check) => check.status === 'problem').length
  const warnings = told.filter((check) => check.status === 'warning').length
  if (session.json) terminal.value({ healthy: problems === 0, problems, warnings, checks: told })
  else
    terminal.line(problems === 0 ? `no problems, ${warnings} warnings` : `${problems} problems, ${warnings} warnings`)
  return problems === 0 ? 0 : outcomeExitCodes.problem_found.code
}
