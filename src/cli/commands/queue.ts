import type { Command } from 'commander'
import { QueueError } from '../../domain/errors.ts'
import { updateRequest } from '../../domain/wire/control.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { gpuWorkerTable } from '../display/gpu-workers.ts'
import { queueLine, queueTable } from '../display/queue-table.ts'
import { invalidOptions } from '../job-input.ts'
import { integerOption, orNone, rateOption } from '../option-values.ts'
import type { Session } from '../session.ts'
import { showQueue } from './pause.ts'

interface Limits {
  readonly concurrency?: string
  readonly rate?: string
}

export function queueCommand(runner: CommandRunner): Command {
  const group = jsonCommand('queue', 'Show queues, limit, pause and resume them')
  group.addCommand(
    jsonCommand('list', 'Show queues that have a limit, are paused or run something, and the GPU workers').action(
      runner.act(list),
    ),
    { isDefault: true },
  )
  group.addCommand(
    jsonCommand('set', 'Set the limits of a queue, over all its jobs')
      .argument('<name>', 'queue; made when it is not there')
      .option('--concurrency <number>', 'units at once, or none')
      .option('--rate <number/length>', 'starts in any such time, such as 10/60s or 1/s, or none')
      .action(runner.act(set)),
  )
  for (const [name, operation, summary] of [
    ['pause', 'pause_job', 'Pause a queue: nothing of it starts, what runs finishes'],
    ['resume', 'resume_job', 'Let a queue go on that is paused or was told to slow down'],
  ] as const) {
    group.addCommand(
      jsonCommand(name, summary)
        .argument('<name>', 'queue')
        .action(
          runner.act(async (session, _options: object, queue: string) =>
            showQueue(session, await session.client().call(operation, { queue }, { signal: session.interrupted })),
          ),
        ),
    )
  }
  return group
}

async function list(session: Session): Promise<number> {
  const answer = await session.client().call('queue_status', {}, { signal: session.interrupted })
  const { queues, gpu_workers: workers } = answer
  const { terminal } = session
  if (session.json) {
    terminal.value({ queues, gpu_workers: workers })
    return 0
  }
  if (queues.length === 0) terminal.note('no queue has a limit, is paused or runs something')
  else terminal.line(queueTable(queues, terminal, session.now()))
  if (workers.length > 0) {
    terminal.line()
    terminal.line(gpuWorkerTable(workers, terminal, session.now()))
  }
  return 0
}

async function set(session: Session, { concurrency, rate }: Limits, queue: string): Promise<number> {
  if (concurrency === undefined && rate === undefined) {
    throw new QueueError('invalid_input', 'no limit was given', {
      remedy: `Give --concurrency or --rate, for example: nightkiln queue set ${queue} --concurrency 2`,
    })
  }
  const candidate = {
    queue,
    ...(concurrency === undefined
      ? {}
      : { queue_concurrency: orNone(concurrency, (text) => integerOption('--concurrency', text, 1)) }),
    ...(rate === undefined ? {} : { queue_rate_limit: orNone(rate, (text) => rateOption('--rate', text)) }),
  }
  const parsed = updateRequest.safeParse(candidate)
  if (!parsed.success) throw invalidOptions(parsed.error, updateRequest, candidate)
  const answer = await session.client().call('update_job', parsed.data, { signal: session.interrupted })
  if (session.json) session.terminal.value(answer)
  else if (answer.queue !== null) session.terminal.line(queueLine(answer.queue, session.terminal, session.now()))
  return 0
}
