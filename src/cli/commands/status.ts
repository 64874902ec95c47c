import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { errorKinds, QueueError } from '../../domain/errors.ts'
import type { QueueStatusAnswer } from '../../domain/wire/jobs.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { jobDetail } from '../display/job-detail.ts'
import { queueOverview } from '../display/queue-overview.ts'
import { waitExitCode } from '../exit-codes.ts'
import { typedJobIds } from '../job-ids.ts'
import type { Session } from '../session.ts'
import { watchJobs } from '../watch-jobs.ts'

interface Options {
  readonly full?: boolean
  readonly watch?: boolean
}

const refreshMs = 1_000

export function statusCommand(runner: CommandRunner): Command {
  return jsonCommand('status', 'Show jobs, or the whole queue when no id is given')
    .argument('[ids...]', 'job ids, their ends, or "last"')
    .option('--full', 'with parameters, attempts and limits')
    .option('--watch', 'keep showing: live bars until the jobs end, or the queue until Ctrl-C')
    .action(runner.act(status))
}

async function status(session: Session, options: Options, typed: readonly string[]): Promise<number> {
  if (options.watch === true && session.json) {
    throw new QueueError('invalid_input', '--watch and --json were given together', {
      remedy: 'Use nightkiln wait --json, or nightkiln status --json without --watch.',
    })
  }
  const client = session.client()
  if (typed.length === 0) return options.watch === true ? watchQueue(session) : showQueue(session)
  const ids = await typedJobIds(session, typed)
  if (options.watch === true) return waitExitCode(await watchJobs(session, client, { ids, until: 'all_ended' }))
  const answer = await client.call(
    'job_status',
    { ids, detail: options.full === true ? 'full' : 'concise' },
    { signal: session.interrupted },
  )
  const { terminal } = session
  if (session.json) terminal.value(answer)
  else {
    answer.jobs.forEach((job, index) => {
      if (index > 0) terminal.line()
      for (const line of jobDetail(job, terminal, session.now())) terminal.line(line)
    })
    for (const id of answer.missing) terminal.problem(`no job has the id ${id}`)
  }
  return answer.missing.length === 0 ? 0 : errorKinds.job_not_found.exitCode
}

async function queueStatus(session: Session): Promise<QueueStatusAnswer> {
  return session.client().call('queue_status', {}, { signal: session.interrupted })
}

async function showQueue(session: Session): Promise<number> {
  const answer = await queueStatus(session)
  if (session.json) session.terminal.value(answer)
  else for (const line of queueOverview(answer, session.terminal, session.now())) session.terminal.line(line)
  return 0
}

async function watchQueue(session: Session): Promise<number> {
  const { terminal } = session
  if (!terminal.live) {
    throw new QueueError('invalid_input', 'status --watch without ids needs a terminal', {
      remedy: 'Name the jobs to watch, or call nightkiln status repeatedly.',
    })
  }
  for (;;) {
    terminal.draw(queueOverview(await queueStatus(session), terminal, session.now()))
    await delay(refreshMs, undefined, { signal: session.interrupted })
  }
}
