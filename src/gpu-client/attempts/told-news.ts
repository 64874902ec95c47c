import type { Progress } from '../../domain/job.ts'
import type { Device, Prediction, WireCheckpoint } from '../../domain/wire/prediction.ts'
import { parseSafeJson } from '../http/safe-json.ts'
import type { AttemptRun } from './attempt-run.ts'
import { firstSeq } from './build-request.ts'

/** Of one checkpoint, as JSON. */
const largestCheckpointBytes = 64 * 1024 * 1024
/** The rest of a log is fetched for so long after the end, ms, in so many pieces at most. */
const longestDrainMs = 60_000
const largestPieceBytes = 256 * 1024

/** Of a run that ended without a word of what computed it: no hardware was reported, so none is claimed. */
const unnamed: Device = { name: 'processor', kind: 'cpu' }

/** Hands on what answers bring: log, progress, device, checkpoints; each once. */
export class ToldNews {
  readonly #run: AttemptRun
  #progress: Progress | null = null
  #progressText = ''
  #device = ''
  #seq: number
  #changedAt: number

  /** @param isAdopted true: what an earlier manager committed is not known, so that the next one is committed whatever its number */
  constructor(run: AttemptRun, isAdopted: boolean) {
    this.#run = run
    const handedOver = run.task.checkpoint?.format === run.task.checkpointFormat
    this.#seq = handedOver && !isAdopted ? firstSeq(run.task) : -1
    this.#changedAt = run.setting.clock.monotonic()
  }

  get progress(): Progress | null {
    return this.#progress
  }

  /** Since anything of it changed. */
  silentMs(): number {
    return Math.round(Math.max(0, this.#run.setting.clock.monotonic() - this.#changedAt))
  }

  /**
   * @param logsFrom offset at which the log of this answer begins; null: it says nothing of the log
   * @returns `refused` when the fence refused a checkpoint: the attempt is not this manager's any more
   */
  async take(found: Prediction, logsFrom: number | null): Promise<'changed' | 'same' | 'refused'> {
    const before = this.#changedAt
    const had = `${this.#seq} ${this.#progressText} ${this.#device}`
    const logGrew = await this.#takeLog(found, logsFrom)
    this.#takeDevice(found.device ?? (this.#device === '' && found.completed_at !== null ? unnamed : null))
    this.#takeProgress(found)
    if (found.checkpoint !== null && !(await this.#takeCheckpoint(found.checkpoint))) return 'refused'
    if (!logGrew && had === `${this.#seq} ${this.#progressText} ${this.#device}`) return 'same'
    this.#changedAt = Math.max(before, this.#run.setting.clock.monotonic())
    return 'changed'
  }

  /** The attempt has ended: what is left of its log, as far as it can be had. */
  async drain(found: Prediction): Promise<void> {
    const { log, setting, task, remoteId, token } = this.#run
    const until = setting.clock.monotonic() + longestDrainMs
    let pieces = Math.ceil(task.maxOutputBytes / 4_096)
    for (let last = found; log.next < last.logs_total && pieces > 0; pieces -= 1) {
      if (setting.clock.monotonic() > until) return
      const logsFrom = log.next
      const next = await this.#run
        .ask((client, signal) => client.get({ remoteId, attemptToken: token, logsFrom, leaseSeconds: null }, signal))
        .catch(() => null)
      if (next === null || !(await this.#takeLog(next, logsFrom))) return
      last = next
    }
  }

  async #takeLog({ logs, logs_next }: Prediction, logsFrom: number | null): Promise<boolean> {
    const { log } = this.#run
    // An answer that does not begin where the log ends, or goes backwards, adds nothing.
    if (logsFrom !== log.next || logs_next <= logsFrom || logs.length > largestPieceBytes) return false
    await log.append(logs, logs_next)
    return true
  }

  #takeDevice(device: Device | null): void {
    if (device === null || this.#device === `${device.kind} ${device.name}`) return
    this.#device = `${device.kind} ${device.name}`
    this.#tell(() => this.#run.observer.computesOn(device))
  }

  #takeProgress({ metrics: { progress } }: Prediction): void {
    if (progress === null) return
    const text = JSON.stringify(progress)
    if (text === this.#progressText) return
    this.#progressText = text
    this.#progress = progress
    this.#tell(() => this.#run.observer.progressed(progress))
  }

  /** One that cannot be fetched now comes with the next answer. */
  async #takeCheckpoint({ format, seq, inline, sha256 }: WireCheckpoint): Promise<boolean> {
    if (seq <= this.#seq) return true
    let state = inline
    if (sha256 !== undefined) {
      // Nothing goes on from it, and whoever cancels waits.
      if (this.#run.stopReason === 'cancel') return true
      const signal = AbortSignal.any([this.#run.detached, this.#run.woken])
      try {
        const bytes = await this.#run.ask((client) => client.readFile(sha256, largestCheckpointBytes, signal))
        state = parseSafeJson(Buffer.from(bytes).toString('utf8')) as Exclude<typeof inline, undefined>
      } catch (error) {
        this.#run.setting.log.debug({ remote: this.#run.remoteId, err: error }, 'a checkpoint cannot be fetched now')
        return true
      }
    }
    if (state === undefined) return true
    try {
      const isOurs = await this.#run.observer.checkpointed({ format, state })
      this.#seq = seq
      return isOurs
    } catch (error) {
      this.#run.setting.log.warn(
        { remote: this.#run.remoteId, err: error },
        'a checkpoint could not be committed; tried again',
      )
      return true
    }
  }

  #tell(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.#run.setting.log.warn(
        { remote: this.#run.remoteId, err: error },
        'what was told of a remote attempt was not taken',
      )
    }
  }
}
