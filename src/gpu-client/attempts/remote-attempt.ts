import { QueueError } from '../../domain/errors.ts'
import type { Progress } from '../../domain/job.ts'
import type { AttemptControl, AttemptEnd, OutputFacts, StopReason } from '../../domain/ports/attempt.ts'
import { WorkerFault } from '../worker-client.ts'
import { look } from './ask-step.ts'
import { type AttemptRun, Detached } from './attempt-run.ts'
import { offer, reserve, send } from './begin-steps.ts'
import { holdConnection } from './cog-step.ts'
import { collect } from './collect-step.ts'
import { giveUp } from './ends.ts'
import { endedAs, type Phase } from './phases.ts'
import { type Ending, fallbackOf } from './prediction-end.ts'
import { recordOf } from './return-errors.ts'
import { windDown } from './wind-down-step.ts'

const mostDefects = 2

/** One attempt at a GPU worker, from its first phase to the one telling of its end. */
export class RemoteAttempt implements AttemptControl {
  readonly #run: AttemptRun
  readonly #ending: () => void
  #phase: Phase
  #endedAfterMs: number | null = null

  /** @param ending called right before its end is told */
  constructor(run: AttemptRun, first: Phase, ending: () => void) {
    this.#run = run
    this.#ending = ending
    this.#phase = first
  }

  /** Never rejects. Resolves when its end was told, or when there is nothing to tell. */
  async drive(): Promise<void> {
    for (let defects = 0; defects <= mostDefects && this.#endedAfterMs === null; defects += 1) {
      try {
        await this.#advance()
        break
      } catch (error) {
        if (error instanceof Detached || this.#run.isDetached) break
        const remote = this.#run.remoteId
        this.#run.setting.log.warn({ remote, err: error }, 'a remote attempt ran into a defect of this program')
        this.#phase = afterDefect(this.#run, error, defects === 0)
      }
    }
    this.#run.place?.release()
  }

  async #advance(): Promise<void> {
    while (this.#phase.kind !== 'ended') {
      if (this.#run.isDetached) throw new Detached()
      this.#phase = await step(this.#run, this.#phase)
    }
    if (this.#phase.end !== null) await this.#tell(this.#phase.end)
  }

  stop(reason: StopReason): void {
    if (this.#phase.kind !== 'ended') this.#run.stop(reason)
  }

  elapsedMs(): number {
    return this.#endedAfterMs ?? this.#run.elapsedMs()
  }

  latestProgress(): Progress | null {
    return this.#run.news.progress
  }

  silentMs(): number {
    return this.#run.news.silentMs()
  }

  freeze(): Promise<void> {
    return Promise.reject(
      new QueueError('invalid_transition', 'an attempt on a GPU worker cannot be frozen', {
        remedy: 'Pause the job instead: what runs goes on, and nothing new starts.',
      }),
    )
  }

  thaw(): Promise<void> {
    return Promise.resolve()
  }

  send(): Promise<number> {
    return Promise.reject(
      new QueueError('invalid_transition', 'an attempt on a GPU worker has no stdin to send to', {
        remedy: 'Only a running command that was submitted with params.interactive takes input.',
      }),
    )
  }

  async #tell(ending: Ending): Promise<void> {
    const output = await this.#run.closeLog()
    if (this.#run.isDetached) return
    const elapsedMs = this.#run.elapsedMs()
    // Told once, even when whoever hears it throws.
    this.#endedAfterMs = elapsedMs
    this.#run.place?.release()
    this.#ending()
    this.#run.observer.ended(endOf(ending, elapsedMs, output))
  }
}

function step(run: AttemptRun, phase: Exclude<Phase, { kind: 'ended' }>): Promise<Phase> | Phase {
  switch (phase.kind) {
    case 'reserving':
      return reserve(run)
    case 'offering':
      return offer(run)
    case 'sending':
      return send(run)
    case 'asking':
      return look(run)
    case 'connected':
      return holdConnection(run)
    case 'collecting':
      return collect(run, phase)
    case 'winding_down':
      return windDown(run, phase)
  }
}

function endOf(ending: Ending, elapsedMs: number, output: OutputFacts): AttemptEnd {
  // Nothing ran: there is no output to tell of.
  if (ending.kind === 'released' || ending.kind === 'not_started') return { ...ending, elapsedMs } as AttemptEnd
  return { ...ending, elapsedMs, output } as AttemptEnd
}

/** What may run there must not begin elsewhere, whatever is wrong here. */
function afterDefect(run: AttemptRun, error: unknown, isFirst: boolean): Phase {
  const text = error instanceof Error ? error.message : String(error)
  if (isFirst && run.tries.mayRun) return giveUp(run, new WorkerFault('protocol', 'DEFECT', text), run.lease.endsAt)
  return endedAs({
    kind: 'returned',
    to: fallbackOf(run.task),
    why: 'refused',
    error: recordOf(run.worker, 'DEFECT', text),
  })
}
