import type { Command } from 'commander'
import { QueueError } from '../../domain/errors.ts'
import { updateRequest } from '../../domain/wire/control.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { jobDetail } from '../display/job-detail.ts'
import { dependencyOption } from '../flow-options.ts'
import { typedJobId, withWholeDependencies } from '../job-ids.ts'
import { invalidOptions } from '../job-input.ts'
import { integerOption, orNone, pairsOption, repeated, timeOption } from '../option-values.ts'
import type { Session } from '../session.ts'

interface Options {
  readonly name?: string
  readonly priority?: string
  readonly runAt?: string
  readonly concurrency?: string
  readonly label?: readonly string[]
  readonly removeLabel?: readonly string[]
  readonly dependsOn?: readonly string[]
  readonly close?: boolean
}

export function updateCommand(runner: CommandRunner): Command {
  return jsonCommand('update', 'Change an unfinished job')
    .argument('<id>', 'job id, its end, or "last"; "self" in a command of the job')
    .option('--name <text>', 'name for people')
    .option('--priority <name>', 'urgent, normal, low or idle')
    .option('--run-at <time>', 'not started before: an ISO 8601 time, or a length from now such as 2h')
    .option('--concurrency <number>', 'units of the job at once, or none')
    .option('--label <name=value>', 'add or change a label; repeatable', repeated)
    .option('--remove-label <name>', 'remove a label; repeatable', repeated)
    .option('--depends-on <id[:name[:ended]]>', 'wait for one more job; only before it started; repeatable', repeated)
    .option('--close', 'no more units will be added, so that it can end')
    .action(runner.act(update))
}

/** @returns what the options change, by the names of the wire. */
export function changesOf(options: Options, now: number): Readonly<Record<string, unknown>> {
  const labels = {
    ...pairsOption('--label', options.label ?? []),
    ...Object.fromEntries((options.removeLabel ?? []).map((name) => [name, null])),
  }
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.priority === undefined ? {} : { priority: options.priority }),
    ...(options.runAt === undefined ? {} : { run_at: timeOption('--run-at', options.runAt, now, 'ahead') }),
    ...(options.concurrency === undefined
      ? {}
      : { concurrency: orNone(options.concurrency, (text) => integerOption('--concurrency', text, 1)) }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(options.dependsOn === undefined ? {} : { depends_on: options.dependsOn.map(dependencyOption) }),
    ...(options.close === true ? { close: true } : {}),
  }
}

async function update(session: Session, given: Options, typed: string): Promise<number> {
  const changes = changesOf(await withWholeDependencies(session, given), session.now())
  if (Object.keys(changes).length === 0) {
    throw new QueueError('invalid_input', 'no change was given', {
      remedy: 'Say what shall change, for example --priority urgent.',
    })
  }
  const candidate = { id: await typedJobId(session, typed), ...changes }
  const parsed = updateRequest.safeParse(candidate)
  if (!parsed.success) throw invalidOptions(parsed.error, updateRequest, candidate)
  const answer = await session.client().call('update_job', parsed.data, { signal: session.interrupted })
  const { terminal } = session
  if (session.json) terminal.value(answer)
  else if (answer.job !== null) for (const line of jobDetail(answer.job, terminal, session.now())) terminal.line(line)
  return 0
}
