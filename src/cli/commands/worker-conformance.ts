import type { Command } from 'commander'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { counted } from '../display/quantities.ts'
import { outcomeExitCodes } from '../exit-codes.ts'
import type { Session } from '../session.ts'

interface Options {
  readonly keyFile?: string
  readonly caFile?: string
  readonly type: string
  readonly only?: readonly string[]
}

/** A check was not fulfilled. */
const failedExitCode = 1
const indent = ' '.repeat(9)

/** Adds `conformance` to the command `worker`. */
export function addConformanceCommand(worker: Command, runner: CommandRunner): void {
  const command = jsonCommand('conformance', 'Check that a worker, of whatever make, keeps the protocol')
    .argument('<url>', 'of the worker, such as http://127.0.0.1:7801')
    .option('--key-file <file>', 'file with its key, 0600; without it the checks of the key are skipped')
    .option('--ca-file <file>', 'certificate that it must show, or that signed it (PEM)')
    .option('--type <type>', 'job type to run: one with the parameters and checkpoints of sleep', 'sleep')
    .option('--only <checks...>', 'only checks whose names begin so, such as "lease/" or "submit/accepted"')
    .addHelpText(
      'after',
      `\nTakes about half a minute and all slots of the worker: use one that does nothing else. What it makes there is cancelled\nand deleted. Exit code ${failedExitCode} when a check fails. What is checked stands in docs/gpu-worker.md.\n`,
    )
    .action(runner.act(conformance))
  worker.addCommand(command)
}

async function conformance(session: Session, options: Options, url: string): Promise<number> {
  const { terminal, cwd, interrupted: signal } = session
  const { colors } = terminal
  const { checkWorker } = await import('../../gpu-client/conformance/main.ts')
  type Report = Awaited<ReturnType<typeof checkWorker>>['checks'][number]
  const marks = { ok: colors.green('ok'), failed: colors.red('failed'), skipped: colors.yellow('skipped') }
  const onReport = (report: Report): void => {
    if (session.json) return
    const mark = `${marks[report.status]}${' '.repeat(indent.length - report.status.length)}`
    terminal.line(`${mark}${report.name}: ${report.title}`)
    const detail = (word: string, text: string | null): void => {
      if (text !== null) terminal.line(`${indent}${word.padEnd(10)}${terminal.harmless(text)}`)
    }
    if (report.status === 'skipped') detail('because', report.got)
    if (report.status !== 'failed') return
    detail('expected', report.expected)
    detail('came', report.got)
    detail('matters', report.why)
  }
  const result = await checkWorker({ ...options, url, cwd, signal, onReport })
  if (session.json) terminal.value(result)
  else {
    for (const line of result.notChecked) terminal.line(`not checked: ${line}`)
    terminal.line(`${result.passed} ok, ${counted(result.failed, 'failure')}, ${result.skipped} skipped`)
  }
  if (signal.aborted) return outcomeExitCodes.interrupted.code
  return result.failed === 0 ? outcomeExitCodes.success.code : failedExitCode
}
