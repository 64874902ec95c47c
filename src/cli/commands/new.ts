import type { Command } from 'commander'
import type { WhatsNewAnswer } from '../../domain/wire/jobs.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { shortId } from '../display/job-table.ts'
import { barLayout } from '../display/progress-bar.ts'
import { formatAge, formatSeconds } from '../display/quantities.ts'
import { stateColor } from '../display/state-color.ts'
import { fitPieces, fitText } from '../display/text-width.ts'
import { badOption } from '../option-values.ts'
import type { Session } from '../session.ts'

interface Options {
  readonly ack?: boolean
  readonly client?: string
}

const groups = [
  ['needs_you', 'Needs you'],
  ['failed', 'Failed'],
  ['finished', 'Finished'],
  ['cancelled', 'Cancelled'],
  ['unfinished', 'Still unfinished'],
] as const

export function newCommand(runner: CommandRunner): Command {
  return jsonCommand('new', 'Show what happened since you last looked')
    .option('--ack', 'mark what is shown as seen, so that it does not come again')
    .option('--client <name>', 'remember under this name what was seen (default: once for each person)')
    .action(runner.act(showNew))
}

async function showNew(session: Session, options: Options): Promise<number> {
  const { terminal } = session
  if (options.client !== undefined && options.client.trim() === '')
    throw badOption('--client', options.client, 'a name')
  const client = session.client()
  const mine = options.client === undefined ? {} : { client: options.client }
  const answer = await client.call('whats_new', mine, { signal: session.interrupted })
  if (session.json) terminal.value(answer)
  else show(session, answer)
  if (options.ack === true)
    await client.call('whats_new', { ...mine, acknowledge: answer.cursor }, { signal: session.interrupted })
  else if (
    !session.json &&
    answer.counts.finished + answer.counts.failed + answer.counts.cancelled + answer.counts.missed_runs > 0
  ) {
    terminal.note(terminal.colors.dim('nightkiln new --ack   marks these as seen'))
  }
  return 0
}

function show(session: Session, answer: WhatsNewAnswer): void {
  const { terminal } = session
  const { colors } = terminal
  if (Object.values(answer.counts).every((count) => count === 0)) terminal.line('nothing new')
  for (const [key, title] of groups) {
    if (answer.counts[key] === 0) continue
    terminal.line(colors.bold(`${title} (${answer.counts[key]})`))
    for (const job of answer[key]) {
      const paint = stateColor(colors, job.state)
      const again = job.shown_before ? ' (shown before)' : ''
      const id = terminal.live ? shortId(job.id) : job.id
      const age = formatAge(job.at, session.now())
      const name = terminal.harmless(job.name)
      terminal.line(
        fitPieces(
          [
            [`  ${id}  ${terminal.stdoutIsTerminal ? fitText(name, barLayout(terminal.columns).name) : name}  `],
            [job.state, paint],
            [`  ${age}  `, colors.dim],
            [terminal.harmless(job.why)],
            [job.eta_s == null ? '' : `, about ${formatSeconds(job.eta_s)} left`],
            [again, colors.dim],
          ],
          terminal.stdoutIsTerminal ? terminal.columns - 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
  }
  if (answer.counts.missed_runs > 0) {
    terminal.line(colors.bold(`Missed runs of schedules (${answer.counts.missed_runs})`))
    for (const run of answer.missed_runs) {
      const again = run.shown_before ? ' (shown before)' : ''
      const what = `${terminal.harmless(run.schedule)}  ${run.outcome}  due ${formatAge(run.due_at, session.now())}`
      terminal.line(`  ${what}  ${terminal.harmless(run.why)}${colors.dim(again)}`)
    }
  }
  if (answer.more) terminal.note('more than fits here: nightkiln list')
}
