import { QueueError } from '../../domain/errors.ts'
import type { JobChanges, UpdateOutcome } from '../../domain/ports/job-store.ts'
import { priorities } from '../../domain/states.ts'
import type { UpdateAnswer } from '../../domain/wire/control.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { jobView } from './job-view.ts'
import { dependenciesOf, rateLimitOf } from './prepare-submission.ts'
import { queueView } from './queue-view.ts'
import type { ServiceContext } from './service-context.ts'

type Request = OperationCall<'update_job'>

/**
 * Changes an unfinished job, or the limits of a queue.
 * @throws QueueError invalid_input, job_not_found, invalid_transition
 */
export function updateJob(context: ServiceContext, request: Request): Promise<UpdateAnswer> {
  const { id, queue, queue_concurrency, queue_rate_limit, ...changes } = request
  const changesJob = Object.keys(changes).length > 0
  const changesQueue = queue_concurrency !== undefined || queue_rate_limit !== undefined
  if ((id === undefined) === (queue === undefined)) {
    throw new QueueError('invalid_input', 'give either id or queue', {
      remedy: 'Call with {"id":"…","priority":"urgent"}, or with {"queue":"default","queue_concurrency":2}.',
    })
  }
  if (id !== undefined && (changesQueue || !changesJob)) {
    throw new QueueError(
      'invalid_input',
      changesQueue ? 'limits of a queue need queue, not id' : 'nothing to change was given',
      {
        remedy: 'Give name, priority, run_at, concurrency, labels, depends_on or close beside id.',
      },
    )
  }
  if (queue !== undefined && (changesJob || !changesQueue)) {
    throw new QueueError(
      'invalid_input',
      changesJob ? 'changes of a job need id, not queue' : 'nothing to change was given',
      {
        remedy: 'Give queue_concurrency or queue_rate_limit beside queue; null removes a limit.',
      },
    )
  }
  return id === undefined ? updateQueue(context, queue ?? '', request) : updateOne(context, id, request)
}

async function updateOne(context: ServiceContext, id: string, request: Request): Promise<UpdateAnswer> {
  const { store, commits, clock } = context
  const outcome = await commits.run(() => store.updateJob(id, changesOf(request), clock.now()))
  if (outcome.kind !== 'updated') throw refusalOf(outcome, id)
  const job = jobView(context, store.readJob(id) ?? outcome.job, 'concise')
  return { job, queue: null, next: `job_status {"ids":["${id}"]} shows it.` }
}

async function updateQueue(context: ServiceContext, name: string, request: Request): Promise<UpdateAnswer> {
  const { store, commits, clock, dispatcher } = context
  const { queue_concurrency: concurrency, queue_rate_limit: rate } = request
  const queue = await commits.run((commit) => {
    const changed = store.updateQueue(
      name,
      {
        ...(concurrency === undefined ? {} : { concurrency }),
        ...(rate === undefined ? {} : { rate: rateLimitOf(rate) }),
      },
      clock.now(),
    )
    commit.afterCommit(() => dispatcher.reloadQueues())
    return changed
  })
  return { job: null, queue: queueView(context, queue), next: 'queue_status {} shows the queues.' }
}

function changesOf(request: Request): JobChanges {
  return {
    ...(request.name === undefined ? {} : { name: request.name }),
    ...(request.priority === undefined ? {} : { priority: priorities[request.priority] }),
    ...(request.run_at === undefined ? {} : { runAt: Date.parse(request.run_at) }),
    ...(request.concurrency === undefined ? {} : { concurrency: request.concurrency }),
    ...(request.labels === undefined ? {} : { labels: request.labels }),
    ...(request.depends_on === undefined ? {} : { dependencies: dependenciesOf(request.depends_on) }),
    ...(request.close === undefined ? {} : { close: request.close }),
  }
}

function refusalOf(outcome: Exclude<UpdateOutcome, { kind: 'updated' }>, id: string): QueueError {
  switch (outcome.kind) {
    case 'not_found':
      return new QueueError('job_not_found', `no job has the id ${id}`)
    case 'already_final':
      return new QueueError('invalid_transition', `job ${id} has ended; only an unfinished job can be changed`, {
        remedy: `rerun_job {"id":"${id}","overrides":{…}} runs it again with changes.`,
      })
    case 'already_started':
      return new QueueError('invalid_transition', `job ${id} has started, so it cannot wait for other jobs any more`)
    case 'dependency_not_found':
      return new QueueError('job_not_found', `depends_on names jobs that do not exist: ${outcome.jobIds.join(', ')}`)
    case 'cycle':
      return new QueueError('invalid_input', `depends_on would make a circle: ${outcome.jobIds.join(' waits for ')}`, {
        remedy: 'Leave out one of these dependencies: none of the jobs could ever start.',
      })
  }
}
