import type { Json } from '../../domain/job.ts'
import type { CogPrediction } from '../cog-client.ts'
import { WorkerFault } from '../worker-client.ts'
import type { AttemptRun } from './attempt-run.ts'
import { endFor } from './ends.ts'
import { endedAs, type Phase } from './phases.ts'
import { fallbackOf } from './prediction-end.ts'
import { reasonOf, recordOf, recordOfFault } from './return-errors.ts'
import { decideSend } from './send-rules.ts'

/** No timer is longer. */
const longestDeadlineMs = 2 ** 31 - 1
/** Its answer was lost, so that it runs again: only pure tasks come here. */
const mostRuns = 3

/**
 * A plain Cog server: one request is held open until the prediction has ended. The connection is the lease, so nothing runs there
 * once it is gone, and nothing has to be waited for.
 */
export async function holdConnection(run: AttemptRun): Promise<Phase> {
  if (run.stopReason !== null) return endedAs(endFor(run, { kind: 'stop' }))
  const { task, setting, remoteId: id } = run
  const limitMs = task.unitTimeoutMs
  const deadlineMs = Math.min(
    longestDeadlineMs,
    limitMs === null ? longestDeadlineMs : Math.max(1, limitMs - run.elapsedMs()),
  )
  const signal = AbortSignal.any([run.detached, run.woken])
  try {
    const found = await run.tell(async () => {
      const client = setting.fleet.cogClientOf(run.worker)
      if (client === null)
        throw new WorkerFault('not_sent', 'NOT_CONFIGURED', 'no such Cog server is configured any more')
      run.puts += 1
      run.tries.mayRun = true
      return client.predict({ id, body: JSON.stringify({ id, input: inputOf(run) }), deadlineMs }, signal)
    })
    return await judgeCog(run, found)
  } catch (error) {
    if (!(error instanceof WorkerFault)) throw error
    return afterFault(run, error, limitMs)
  }
}

async function afterFault(run: AttemptRun, fault: WorkerFault, limitMs: number | null): Promise<Phase> {
  const { task, worker, setting } = run
  if (run.stopReason !== null) {
    cancelThere(run)
    return endedAs(endFor(run, { kind: 'stop' }))
  }
  if (fault.code === 'DEADLINE' && limitMs !== null) return endedAs(endFor(run, { kind: 'overtime', limitMs }))
  // With the connection the run is gone.
  run.tries.mayRun = false
  const decision = decideSend(fault, run.tries, setting)
  const again = decision.kind === 'again' || (decision.kind === 'ask' && run.puts < mostRuns)
  if (again) {
    await run.pause(decision.kind === 'again' ? decision.afterMs : run.pace.next())
    return { kind: 'connected' }
  }
  if (decision.kind === 'fail') {
    const error = recordOf(worker, fault.code, fault.message, { code: 'handler_rejected' })
    return endedAs({ kind: 'failed', error, retry: 'never' })
  }
  return endedAs({ kind: 'returned', to: fallbackOf(task), why: reasonOf(fault), error: recordOfFault(worker, fault) })
}

async function judgeCog(run: AttemptRun, found: CogPrediction): Promise<Phase> {
  run.hasEndedThere = true
  const { task, worker } = run
  const logged = Buffer.byteLength(found.logs)
  if (logged > 0) await run.log.append(found.logs, run.log.next + logged)
  if (found.status === 'succeeded') return endedAs({ kind: 'completed', result: found.output ?? null, artifacts: [] })
  if (run.stopReason !== null) return endedAs(endFor(run, { kind: 'stop' }))
  const text = found.error ?? ''
  if (found.status === 'failed') {
    const error = recordOf(worker, 'HANDLER_ERROR', text, { code: 'handler_failed' })
    return endedAs({ kind: 'failed', error, retry: 'policy' })
  }
  const error = recordOf(worker, found.status.toUpperCase(), text || 'it did not bring it to an end')
  return endedAs({ kind: 'returned', to: fallbackOf(task), why: 'refused', error })
}

/** The parameters as they are; what is special to a unit goes beside them. */
function inputOf({ task }: AttemptRun): Json {
  return task.unit === undefined ? task.params : { ...task.params, unit: task.unit }
}

/** The lost connection says the same; this is for servers behind a proxy that holds it. */
function cancelThere(run: AttemptRun): void {
  const client = run.setting.fleet.cogClientOf(run.worker)
  client?.cancel(run.remoteId, run.detached).catch(() => undefined)
}
