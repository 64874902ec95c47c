import { toErrorRecord } from '../../domain/errors.ts'
import type { WorkerClient } from '../worker-client.ts'
import { WorkerFault } from '../worker-client.ts'
import { answered } from './answered.ts'
import type { AttemptRun } from './attempt-run.ts'
import { giveUp, stopped } from './ends.ts'
import { endedAs, type Phase } from './phases.ts'
import { fallbackOf } from './prediction-end.ts'
import { rememberPlace } from './remembered-place.ts'
import { reasonOf, recordOf, recordOfFault } from './return-errors.ts'
import { decideSend } from './send-rules.ts'

/** Takes a place at a worker that was not tried yet. */
export function reserve(run: AttemptRun): Phase {
  const { fleet } = run.setting
  run.place?.release()
  run.place = null
  if (run.stopReason !== null) return stopped(run)
  for (;;) {
    const place = fleet.reserve(run.task, run.tried)
    if (place === null) return endedAs(noPlace(run))
    // Such a server runs again what it forgot: harmless for a pure task alone.
    if (place.mode === 'full' || run.task.pure) {
      run.place = place
      return { kind: 'offering' }
    }
    run.tried.add(place.worker)
    place.release()
  }
}

function noPlace(run: AttemptRun): Extract<Phase, { kind: 'ended' }>['end'] {
  const [last] = [...run.tried].slice(-1)
  if (last !== undefined) {
    const error = recordOf(
      last,
      'NOT_SERVED',
      `it does not serve ${run.task.type} ${run.task.version}, and no other does`,
    )
    return { kind: 'returned', to: fallbackOf(run.task), why: 'not_served', error }
  }
  // It was claimed since a place was free: another attempt took it. Nothing is known against any worker.
  const outlook = run.setting.fleet.outlookOf(run.task)
  const error =
    'error' in outlook
      ? outlook.error
      : toErrorRecord(new Error('the place at the GPU worker was taken a moment before'))
  return {
    kind: 'returned',
    to: 'gpu',
    why: outlook.kind === 'unavailable' ? 'unreachable' : 'busy',
    error: { ...error, code: 'gpu_unavailable' },
  }
}

/** Writes down where it goes; nothing leaves before that is committed. */
export async function offer(run: AttemptRun): Promise<Phase> {
  const { worker, remoteId, place } = run
  const url = run.setting.fleet.entryOf(worker)?.url
  if (url !== undefined) rememberPlace(run.task.directory, remoteId, url)
  let isOurs: boolean
  try {
    isOurs = await run.observer.offering({ worker, remoteId })
  } catch (error) {
    run.setting.log.warn({ remote: remoteId, err: error }, 'where an attempt goes could not be written down')
    return endedAs({ kind: 'released', message: 'where the attempt goes could not be written down', backOff: true })
  }
  if (!isOurs) return endedAs(null)
  if (run.stopReason !== null) return stopped(run)
  return { kind: place?.mode === 'cog' ? 'connected' : 'sending' }
}

/** Sends what the request needs, then the request. */
export async function send(run: AttemptRun): Promise<Phase> {
  if (run.stopReason !== null) return stopped(run)
  const { remoteId, token, setting, tries } = run
  const { body, files } = run.request
  let isPut = false
  try {
    for (const { sha256, bytes } of files) {
      if (!(await run.ask((client, signal) => client.hasFile(sha256, signal))))
        await run.ask((client, signal) => client.putFile(sha256, bytes, signal))
      if (run.stopReason !== null) return stopped(run)
    }
    const found = await run.ask((client: WorkerClient, signal) => {
      isPut = true
      run.lease.sending()
      return client.put({ remoteId, attemptToken: token, body, leaseSeconds: setting.leaseSeconds }, signal)
    })
    run.puts += 1
    tries.mayRun = true
    return await answered(run, found, run.log.next === 0 ? 0 : null)
  } catch (error) {
    if (!(error instanceof WorkerFault)) throw error
    if (!isPut) return refusedFile(run, error)
    run.lease.lost(setting.timings.answerMs)
    return refusedPut(run, error)
  }
}

/** A file that may have arrived is no attempt that may run: it is sent again. */
function refusedFile(run: AttemptRun, fault: WorkerFault): Promise<Phase> {
  const harmless = fault.kind === 'ambiguous' || fault.kind === 'protocol'
  return refusedPut(run, harmless ? new WorkerFault('not_sent', fault.code, fault.message, { cause: fault }) : fault)
}

async function refusedPut(run: AttemptRun, fault: WorkerFault): Promise<Phase> {
  const { task, worker, setting, tries } = run
  const decision = decideSend(fault, tries, setting)
  const error = recordOfFault(worker, fault)
  switch (decision.kind) {
    case 'again':
      await run.pause(decision.afterMs)
      return { kind: 'sending' }
    case 'ask':
      if (fault.kind !== 'not_sent') run.puts += 1
      run.doubt = fault
      run.doubts += 1
      return { kind: 'asking' }
    case 'next_worker':
      run.tried.add(worker)
      return { kind: 'reserving' }
    case 'fail':
      return endedAs({
        kind: 'failed',
        error: recordOf(worker, fault.code, fault.message, { code: 'handler_rejected' }),
        retry: 'never',
      })
    case 'return':
      return endedAs({ kind: 'returned', to: fallbackOf(task), why: reasonOf(fault), error })
    case 'wind_down':
      return giveUp(run, fault, decision.surely ? run.lease.endsAt : setting.clock.monotonic())
  }
}
