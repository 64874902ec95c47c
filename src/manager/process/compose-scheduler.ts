import type { Logger } from 'pino'
import { dueTimes } from '../runtime/cron-times.ts'
import { Scheduler } from '../runtime/scheduler.ts'
import { type PreparedSubmission, prepareSubmission } from '../services/prepare-submission.ts'
import type { ServiceContext } from '../services/service-context.ts'
import { discardSource } from '../services/source-spool.ts'
import { jobOf, storeSubmission } from '../services/submit-job.ts'

/** @returns the scheduler: what it fires is submitted as any client submits it. */
export function composeScheduler(context: ServiceContext, log: Logger): Scheduler<PreparedSubmission> {
  const { store, commits, clock, supervisor } = context
  return new Scheduler<PreparedSubmission>({
    store,
    commits,
    clock,
    log,
    dueTimes,
    prepare: (request) => prepareSubmission(context, request),
    discard: (prepared) => discardSource(context, prepared.source),
    submit: (prepared, { idempotencyKey, scheduleId, dependencies }, commit) => {
      const request = { ...prepared.request, idempotency_key: idempotencyKey }
      const outcome = storeSubmission(context, { ...prepared, request }, { scheduleId, dependencies }, commit)
      return jobOf(outcome, idempotencyKey).job
    },
    stop: (unitId) => supervisor.stop(unitId, 'cancel'),
  })
}
