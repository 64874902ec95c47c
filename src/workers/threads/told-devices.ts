import type { Device } from '../../domain/wire/prediction.ts'
import type { ExecutorLog } from '../executor-context.ts'
import type { ThreadAttempt } from './thread-attempt.ts'

/** What the attempts of a host compute on, passed on once each; what nobody has claimed yet waits for its claim. */
export class ToldDevices {
  readonly #log: ExecutorLog
  readonly #waiting = new Map<string, Device>()

  constructor(log: ExecutorLog) {
    this.#log = log
  }

  /** Of attempts that nobody has claimed yet. */
  get waiting(): ReadonlyMap<string, Device> {
    return this.#waiting
  }

  keep(key: string, device: Device): void {
    this.#waiting.set(key, device)
  }

  /** Its observer hears of it, unless that is what it heard last. */
  tell(attempt: ThreadAttempt, device: Device): void {
    try {
      attempt.tellDevice(device)
    } catch (error) {
      this.#log.error({ unit: attempt.fence.unitId, err: error }, 'the device of a handler was not taken')
    }
  }

  /** Tells what was kept for an attempt. */
  claim(attempt: ThreadAttempt): void {
    const device = this.#waiting.get(attempt.key)
    if (device === undefined) return
    this.#waiting.delete(attempt.key)
    this.tell(attempt, device)
  }

  forget(key: string): void {
    this.#waiting.delete(key)
  }
}
