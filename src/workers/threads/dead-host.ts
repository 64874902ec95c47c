import { rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AttemptEnd } from '../../domain/ports/attempt.ts'
import type { Device } from '../../domain/wire/prediction.ts'
import type { ProcessIdentity } from '../../platform/process-identity.ts'
import { endTree } from '../end-tree.ts'
import { outputFacts } from '../output-tail.ts'
import { readHanded } from './handed-file.ts'
import type { HostContext } from './host-context.ts'
import { crashLine, hostFiles, mayExist, readJournal, readLastWords } from './host-files.ts'
import { type DeathFacts, judgeDeath } from './judge-death.ts'
import type { HandlerEnd } from './protocol.ts'
import type { AttemptPlace, ThreadAttempt } from './thread-attempt.ts'
import { ToldDevices } from './told-devices.ts'

/** What is known of a host whose process is gone. */
export interface DeadHostFacts {
  readonly id: string
  readonly directory: string
  /** Null when it never wrote its record. */
  readonly socket: string | null
  readonly process: ProcessIdentity | null
  /** True when this manager watched it until its end. */
  readonly watched: boolean
  readonly otherBoot: boolean
  readonly endedFor: string | null
  readonly how: string
  /** Handed over by this manager or taken over by it, and not ended. */
  readonly attempts: ReadonlyMap<string, ThreadAttempt>
  /** Told, not yet committed. */
  readonly told: Set<string>
  /** What it said it had, and nobody has claimed yet; ends that came already. */
  readonly unclaimed: ReadonlyMap<string, HandlerEnd | null>
  /** What these said they compute on. */
  readonly devices: ReadonlyMap<string, Device>
}

export interface Mourner {
  ended(attempt: ThreadAttempt, end: AttemptEnd, host: DeadHost): void
  /** Nothing of it is left, its directory neither. */
  forgotten(host: DeadHost): void
  /** Resolves when no attempt will be claimed any more that an earlier manager left. */
  readonly settled: Promise<void>
}

/** Grace of processes that a host left behind. */
const leftoverGraceMs = 500
const retryMs = 1_000
/** What is told before a restart of the machine is over: its files may be older than what they speak of. */
const removalTries = 3

/**
 * A host whose process is gone: ends what it left running, says how its attempts ended, and removes its directory when
 * these ends are committed, so that the next manager finds all it needs should this one die before.
 */
export class DeadHost implements AttemptPlace {
  readonly facts: DeadHostFacts
  readonly #context: HostContext
  readonly #mourner: Mourner
  readonly #attempts: Map<string, ThreadAttempt>
  #handed: ReadonlySet<string> = new Set()
  #devices: ReadonlyMap<string, Device> = new Map()
  /** Set once it is judged. */
  #judged: DeathFacts | null = null
  #isRemoved = false

  constructor(context: HostContext, mourner: Mourner, facts: DeadHostFacts) {
    this.#context = context
    this.#mourner = mourner
    this.facts = facts
    this.#attempts = new Map(facts.attempts)
    for (const attempt of this.#attempts.values()) attempt.place = this
  }

  /** Reads what was handed to it by whomever. Before the first `claim`. */
  async prepare(): Promise<void> {
    await this.#atLast(() => {
      this.#handed = readHanded(join(this.facts.directory, hostFiles.handed))
    })
  }

  /** Takes an attempt of an earlier manager over. @returns false when it was never handed to this host */
  claim(attempt: ThreadAttempt): boolean {
    if (!this.#handed.has(attempt.key) && !this.facts.unclaimed.has(attempt.key)) return false
    attempt.place = this
    this.#attempts.set(attempt.key, attempt)
    if (this.#judged !== null) void this.#judge({ ...this.#judged, others: true })
    return true
  }

  /** It is over already; its end will say that it stopped. */
  stop(): void {}

  acknowledge(key: string): void {
    this.facts.told.delete(key)
    this.#removeWhenDone()
  }

  /** Never rejects. */
  async bury(): Promise<void> {
    await this.prepare()
    const known = await this.#atLast(async () => {
      await this.#endLeftovers()
      return this.#examine()
    })
    await this.#mourner.settled
    if (known === null || this.#context.detached()) return
    this.#judged = known
    await this.#judge(known)
    this.#removeWhenDone()
  }

  /** What cannot be told now proves nothing: it is tried again. @returns null when detached meanwhile */
  async #atLast<T>(action: () => T | Promise<T>): Promise<T | null> {
    while (!this.#context.detached()) {
      try {
        return await action()
      } catch (error) {
        if (this.#context.detached()) break
        const details = { host: this.facts.id, err: error }
        this.#context.log.error(details, 'cannot find out how a thread host ended; trying again')
        await sleep(retryMs)
      }
    }
    return null
  }

  async #endLeftovers(): Promise<void> {
    const { id, process, watched, unclaimed, told } = this.facts
    const { table, scanner, clock, detached, instanceId, managerPid, log } = this.#context
    const attempts = new Set([...this.#handed, ...this.#attempts.keys(), ...unclaimed.keys(), ...told])
    const root = { mark: { instanceId, hostId: id, attempts }, runner: process, watched, managerPid }
    const survivors = await endTree({ table, scanner, clock, abandoned: detached }, root, leftoverGraceMs)
    if (survivors.length > 0) {
      log.error({ host: id, leaked_processes: survivors }, 'processes of a thread host could not be ended')
    }
  }

  #examine(): DeathFacts {
    const { directory, unclaimed, devices, endedFor, otherBoot, how } = this.facts
    const written = readJournal(directory)
    const journal = new Map(written.ends)
    this.#devices = new Map([...written.devices, ...devices])
    for (const [key, end] of unclaimed) if (end !== null) journal.set(key, end)
    const lastWords = readLastWords(directory)
    return { journal, lastWords, endedFor, otherBoot, how, crashLine: crashLine(directory), others: false }
  }

  async #judge(known: DeathFacts): Promise<void> {
    const open = [...this.#attempts.values()]
    this.#attempts.clear()
    const ends = judgeDeath(
      known,
      open.map((attempt) => ({ key: attempt.key, stopReason: attempt.stopReason, elapsedMs: attempt.elapsedMs() })),
    )
    if (open.length > 0) this.#log(known, ends)
    for (const attempt of open) {
      const end = ends.get(attempt.key)
      if (end === undefined) continue
      const complete = await this.#withOutput(attempt, end)
      if (this.#context.detached()) return
      this.facts.told.add(attempt.key)
      this.#tellDevice(attempt)
      this.#mourner.ended(attempt, complete, this)
    }
  }

  #tellDevice(attempt: ThreadAttempt): void {
    const device = this.#devices.get(attempt.key)
    if (device !== undefined) new ToldDevices(this.#context.log).tell(attempt, device)
  }

  #log({ how, lastWords, crashLine: line }: DeathFacts, ends: ReadonlyMap<string, AttemptEnd>): void {
    const kinds: Record<string, number> = {}
    for (const { kind } of ends.values()) kinds[kind] = (kinds[kind] ?? 0) + 1
    const details = { host: this.facts.id, last_words: lastWords?.reason ?? null, crash_line: line, ends: kinds }
    const message = `a thread host ${how}, and attempts in it ended`
    // Nobody came for it, so it ended itself: as it should.
    if (lastWords?.reason === 'unclaimed') this.#context.log.warn(details, message)
    else this.#context.log.error(details, message)
  }

  /** What it said last, for the ends that nobody wrote down with their output. */
  async #withOutput(attempt: ThreadAttempt, end: AttemptEnd): Promise<AttemptEnd> {
    if (end.kind !== 'lost' && end.kind !== 'stopped') return end
    const directory = join(this.#context.paths.attempts, attempt.key)
    if (end.output.bytes > 0 || !mayExist(directory)) return end
    try {
      return { ...end, output: await outputFacts(directory) }
    } catch (error) {
      this.#context.log.warn({ directory, err: error }, 'the output of a handler cannot be read')
      return end
    }
  }

  #removeWhenDone(): void {
    if (this.#judged === null || this.#isRemoved || this.#attempts.size > 0 || this.facts.told.size > 0) return
    this.#isRemoved = true
    const { directory, socket } = this.facts
    if (socket !== null && process.platform !== 'win32') rmSync(socket, { force: true })
    rm(directory, { recursive: true, force: true, maxRetries: removalTries }).then(
      () => this.#mourner.forgotten(this),
      (error: unknown) =>
        this.#context.log.warn({ directory, err: error }, 'cannot remove the directory of a thread host'),
    )
  }
}
