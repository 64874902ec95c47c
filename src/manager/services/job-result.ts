import { harmlessJson } from '../../domain/display-text.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Json } from '../../domain/job.ts'
import { isFinalJobState } from '../../domain/states.ts'
import type { ResultAnswer } from '../../domain/wire/jobs.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { boundedJson } from './bounded-json.ts'
import { nextStep } from './job-status.ts'
import { unitAt } from './job-unit.ts'
import { displayOf, finalStepOf, jobView } from './job-view.ts'
import type { ServiceContext } from './service-context.ts'

const mostUnits = 1_000

/**
 * The result of a job or of one of its units, bounded. Whoever sees `completed` finds it here (promise P5).
 * @throws QueueError job_not_found, unit_not_found
 */
export function jobResult(context: ServiceContext, request: OperationCall<'job_result'>): ResultAnswer {
  const { store } = context
  const job = store.readJob(request.id)
  if (job === null) throw new QueueError('job_not_found', `no job has the id ${request.id}`)
  const outputs: Json[] =
    request.unit === undefined
      ? store
          .readUnits(job.id, { limit: mostUnits })
          .filter((unit) => !unit.finalStep)
          .map((unit) => store.readUnitPayload(unit.id)?.output ?? null)
      : [store.readUnitPayload(unitAt(context, job.id, request.unit).unit.id)?.output ?? null]
  const whole = outputs.length === 1 ? (outputs[0] ?? null) : outputs
  const bounded = boundedJson(harmlessJson(whole), request.max_bytes)
  const final = isFinalJobState(job.state)
  const finalStep = request.unit === undefined && job.finalStep === 'done' ? finalStepOf(store, job) : null
  return {
    id: job.id,
    state: displayOf(context, job).state,
    final,
    result: bounded.value,
    ...(finalStep === null
      ? {}
      : {
          final_result: boundedJson(
            harmlessJson(store.readUnitPayload(finalStep.id)?.output ?? null),
            request.max_bytes,
          ).value,
        }),
    result_bytes: bounded.bytes,
    truncated: bounded.truncated,
    artifacts: [],
    next: final
      ? `job_logs {"id":"${job.id}"} has what it printed.`
      : nextStep([jobView(context, job, 'concise')], context.clock.now()),
  }
}
