import type { AttemptControl } from '../../domain/ports/attempt.ts'
import type { RemoteExecutor, RemoteIdentity, RemoteObserver, RemoteTask } from '../../domain/ports/remote-executor.ts'
import { AttemptRun } from './attempt-run.ts'
import type { AttemptSetting } from './attempt-setting.ts'
import { Forgetting } from './forgetting.ts'
import { endedAs, type Phase } from './phases.ts'
import { recallPlace } from './remembered-place.ts'
import { RemoteAttempt } from './remote-attempt.ts'
import { defaultAttemptTimings } from './timings.ts'

export type RemoteExecutorOptions = Omit<AttemptSetting, 'timings' | 'sleep' | 'leaseSeconds'> &
  Partial<Pick<AttemptSetting, 'timings' | 'sleep' | 'leaseSeconds'>>

const defaultLeaseSeconds = 60

/** Runs attempts on GPU workers: one state machine each (phases.ts), all over the clients of one fleet. */
export function createRemoteExecutor(options: RemoteExecutorOptions): RemoteExecutor {
  const setting: AttemptSetting = {
    leaseSeconds: defaultLeaseSeconds,
    timings: defaultAttemptTimings,
    sleep: sleepFor,
    ...options,
  }
  const active = new Set<AttemptRun>()
  const detaching = new AbortController()
  const forgetting = new Forgetting(setting, detaching.signal)

  const newRun = (task: RemoteTask, observer: RemoteObserver, remoteId: string, isAdopted: boolean): AttemptRun =>
    new AttemptRun(setting, task, observer, { remoteId, isAdopted })

  const begin = (run: AttemptRun, first: Phase): AttemptControl => {
    const attempt = new RemoteAttempt(run, first, () => forgetting.add(run))
    active.add(run)
    // Attempts that begin when everything has stopped are for the next manager.
    if (detaching.signal.aborted) run.detach()
    void attempt.drive().finally(() => active.delete(run))
    return attempt
  }

  return {
    start(task, observer) {
      const run = newRun(task, observer, setting.createId(), false)
      return begin(run, { kind: 'reserving' })
    },
    adopt(task: RemoteTask, remote: RemoteIdentity | null, observer: RemoteObserver) {
      if (remote === null) {
        const message = 'the manager ended before the attempt was offered to a GPU worker'
        return begin(newRun(task, observer, '', true), endedAs({ kind: 'released', message, backOff: false }))
      }
      const run = newRun(task, observer, remote.remoteId, true)
      run.place = setting.fleet.occupy(remote.worker)
      // Nobody knows when the last request left: as late as possible.
      run.lease.sending()
      run.tries.mayRun = true
      const sentTo = recallPlace(task.directory, remote.remoteId)
      if (sentTo !== null) run.wasSentTo(sentTo)
      return begin(run, { kind: run.place.mode === 'cog' ? 'connected' : 'asking' })
    },
    acknowledge: (fences) => forgetting.acknowledge(fences),
    detach() {
      detaching.abort()
      for (const run of active) run.detach()
    },
  }
}

function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
