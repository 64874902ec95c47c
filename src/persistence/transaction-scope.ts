import type { Database, Statement } from 'better-sqlite3'
import { QueueError } from '../domain/errors.ts'
import { EpochLostError } from '../domain/ports/epoch-lost-error.ts'
import type { Prepare } from './statement-loader.ts'
import { toStorageError } from './storage-errors.ts'

/** Something that goes beside the rows of a transaction and must follow its savepoints. */
export interface TransactionParticipant {
  /** @returns what makes everything undone that happens from now on. */
  mark(): () => void
  /** Does what was put off; runs before COMMIT. */
  flush(): void
}

/** Transactions of one connection: BEGIN IMMEDIATE with one epoch check outside, savepoints inside. */
export class TransactionScope {
  readonly #database: Database
  readonly #participants: readonly TransactionParticipant[]
  readonly #begin: Statement
  readonly #commit: Statement
  readonly #rollBack: Statement
  readonly #save: Statement
  readonly #release: Statement
  readonly #rollBackToSave: Statement
  readonly #readEpoch: Statement<[], { epoch: number }>
  #depth = 0

  constructor(database: Database, prepare: Prepare, participants: readonly TransactionParticipant[]) {
    this.#database = database
    this.#participants = participants
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.#rollBack = database.prepare('ROLLBACK')
    this.#save = database.prepare('SAVEPOINT nested')
    this.#release = database.prepare('RELEASE nested')
    this.#rollBackToSave = database.prepare('ROLLBACK TO nested')
    this.#readEpoch = prepare<{ epoch: number }>('read_epoch') as unknown as Statement<[], { epoch: number }>
  }

  /**
   * Runs `work` in a transaction of its own, or as a savepoint of the open one.
   * @throws EpochLostError when the database is at another epoch than `epoch`
   */
  run<T>(epoch: number | null, work: () => T): T {
    if (this.#depth > 0) return this.#runNested(work)
    if (epoch === null) throw new EpochLostError(null, null)
    return this.#runOutermost(work, () => this.#checkEpoch(epoch))
  }

  /** A transaction that no epoch guards: for raising it. */
  runUnguarded<T>(work: () => T): T {
    if (this.#depth > 0) throw new Error('an unguarded transaction cannot be nested')
    return this.#runOutermost(work, () => {})
  }

  #checkEpoch(epoch: number): void {
    const current = this.#readEpoch.get()?.epoch ?? null
    if (current !== epoch) throw new EpochLostError(epoch, current)
  }

  #runOutermost<T>(work: () => T, check: () => void): T {
    let committing = false
    const undos = this.#mark()
    try {
      this.#begin.run()
      this.#depth = 1
      check()
      const result = work()
      for (const participant of this.#participants) participant.flush()
      this.#assertOpen()
      committing = true
      this.#commit.run()
      return result
    } catch (thrown) {
      for (const undo of undos) undo()
      this.#rollBackQuietly()
      throw committing ? unknownOutcome(thrown) : toStorageError(thrown)
    } finally {
      this.#depth = 0
    }
  }

  #runNested<T>(work: () => T): T {
    // Outside a transaction SAVEPOINT would quietly begin a new, deferred one.
    this.#assertOpen()
    const undos = this.#mark()
    this.#save.run()
    this.#depth += 1
    try {
      const result = work()
      this.#assertOpen()
      this.#release.run()
      return result
    } catch (thrown) {
      for (const undo of undos) undo()
      if (this.#database.inTransaction) {
        this.#rollBackToSave.run()
        this.#release.run()
      }
      throw toStorageError(thrown)
    } finally {
      this.#depth -= 1
    }
  }

  #mark(): (() => void)[] {
    return this.#participants.map((participant) => participant.mark())
  }

  #assertOpen(): void {
    if (this.#database.inTransaction) return
    throw new QueueError('outcome_unknown', 'the database rolled the whole transaction back after an error')
  }

  #rollBackQuietly(): void {
    if (!this.#database.inTransaction) return
    try {
      this.#rollBack.run()
    } catch {
      // The first error is the one to tell; a broken connection is closed by reopen().
    }
  }
}

// Measured: a COMMIT that answered an I/O error was there after reopening (reliability D3).
function unknownOutcome(thrown: unknown): unknown {
  const error = toStorageError(thrown)
  if (!(error instanceof QueueError) || error.code === 'storage_busy' || error.code === 'storage_full') return error
  return new QueueError('outcome_unknown', error.message, { details: error.details, cause: error.cause })
}
