import { QueueError } from '../../domain/errors.ts'
import type { Attempt, Job, Unit } from '../../domain/job.ts'
import type { AttemptControl } from '../../domain/ports/attempt.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import type { SendInputAnswer } from '../../domain/wire/units.ts'
import { unitAt } from './job-unit.ts'
import type { ServiceContext } from './service-context.ts'

/**
 * Writes to the stdin of a running interactive command.
 * @throws QueueError job_not_found, unit_not_found; invalid_transition when it does not run here, is not interactive or has
 * ended its input; limit_exceeded with `bytes_taken` when it does not read
 */
export async function sendInput(
  context: ServiceContext,
  request: OperationCall<'send_input'>,
): Promise<SendInputAnswer> {
  const { job, unit } = unitAt(context, request.id, request.unit)
  const text = inputText(request)
  const live = liveCommand(context, job, unit)
  const bytes = await live.send(text, request.end)
  const where = `${JSON.stringify({ id: job.id, ...(unit.position === 0 ? {} : { unit: unit.position }) })}`
  const next = request.end
    ? `The command reads end of file now; wait_for_jobs ${JSON.stringify({ ids: [job.id] })} tells when it ends.`
    : `job_logs ${where} shows what it answers.`
  return { id: job.id, bytes, ended: request.end, next }
}

/** @throws QueueError invalid_input when there is nothing to send */
function inputText({ text, raw, end }: OperationCall<'send_input'>): string {
  if (text !== '') return raw ? text : `${text}\n`
  if (end) return ''
  if (raw) {
    throw new QueueError('invalid_input', 'text is empty, raw is true and end is false: there is nothing to send', {
      remedy: 'Give text, or end: true to end the input.',
    })
  }
  return '\n'
}

function liveCommand(context: ServiceContext, job: Job, unit: Unit): AttemptControl {
  const which = job.counts.total === 1 ? `job ${job.id}` : `unit ${unit.position} of job ${job.id}`
  if (unit.state === 'available') {
    const remedy =
      'Wait until it runs (wait_for_jobs with until "any_changed"), or give params.stdin when you submit it.'
    throw new QueueError('invalid_transition', `${which} is not running yet, so nothing reads input`, { remedy })
  }
  if (unit.state !== 'running') {
    const remedy = 'rerun_job starts it again; job_status shows how it ended.'
    throw new QueueError('invalid_transition', `${which} has ended (${unit.state}), so nothing reads input`, { remedy })
  }
  const attempt = context.store.readAttempts(unit.id).at(-1)
  const live = context.supervisor.liveOf(unit.id)
  if (live !== null && attempt?.executor !== 'gpu') return live
  if (attempt?.executor === 'command') {
    throw new QueueError('invalid_transition', `the command of ${which} is just being started or ended`, {
      remedy: 'Call again, or look at it with job_status.',
    })
  }
  const where = attempt?.executor === 'gpu' ? placeOf(attempt) : 'without a process of its own'
  throw new QueueError('invalid_transition', `${which} runs ${where}, which has no input`, {
    remedy: 'Only commands take input: type "command" with params.interactive: true.',
  })
}

function placeOf({ mode, remote, device }: Attempt): string {
  const worker = remote === null ? 'a GPU worker' : `the GPU worker ${remote.worker}`
  return `at ${worker} (${device === null ? mode : `${mode}, ${device}`})`
}
