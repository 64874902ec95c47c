import type { Database } from 'better-sqlite3'
import type { Clock } from '../domain/clock.ts'
import { QueueError } from '../domain/errors.ts'
import { verifyQuickly } from './connection.ts'
import { toStorageError } from './storage-errors.ts'
import { createStoreParts, type StoreParts } from './store-parts.ts'

/** The connection of a store: opened with every check, reopened after errors, guarded by the epoch. */
export abstract class SqliteStoreConnection {
  readonly #connect: () => Database
  protected readonly clock: Clock
  #database: Database
  #parts: StoreParts
  #epoch: number | null = null
  #instanceId: string | null

  /** @param connect opens a checked connection to the same database; called again by `reopen` */
  constructor(connect: () => Database, clock: Clock) {
    this.#connect = connect
    this.clock = clock
    this.#database = connect()
    this.#parts = createStoreParts(this.#database)
    this.#instanceId = this.#parts.instance.read()
  }

  /** The epoch this store raised; null before. */
  get epoch(): number | null {
    return this.#epoch
  }

  /** Closes the connection, checkpointing the WAL. Idempotent. */
  close(): void {
    this.#database.close()
  }

  /**
   * Closes and opens again, with every check of the first open: after an I/O error nothing of the old connection is trusted.
   * The epoch stays; when another manager has raised it meanwhile, the next write says so.
   * @throws QueueError storage_refused when it is damaged or another database now, and what opening throws
   */
  reopen(): void {
    try {
      this.#database.close()
    } catch {
      // A connection that cannot even close is left to the garbage collector.
    }
    const database = this.#connect()
    const parts = createStoreParts(database)
    try {
      verifyQuickly(database)
      const found = parts.instance.read()
      if (this.#instanceId !== null && found !== this.#instanceId) {
        throw new QueueError(
          'storage_refused',
          `the database belonged to instance ${this.#instanceId} and now to ${found ?? 'none'}: it was replaced while in use`,
        )
      }
    } catch (thrown) {
      database.close()
      throw toStorageError(thrown)
    }
    this.#database = database
    this.#parts = parts
  }

  /** The instance this database belongs to; null in a new one. */
  instanceId(): string | null {
    this.#instanceId = this.read((parts) => parts.instance.read())
    return this.#instanceId
  }

  /** Makes a new database belong to an instance; needs no epoch. */
  adoptInstanceId(instanceId: string, now: number): void {
    this.#parts.transactions.runUnguarded(() => this.#parts.instance.insert(instanceId, now))
    this.#instanceId = instanceId
  }

  /** Event ids up to `eventId` are never given again; needs no epoch. For a backup that a person put back on purpose. */
  raiseEventSequence(eventId: number): void {
    this.#parts.transactions.runUnguarded(() => this.#parts.events.raiseSequence(eventId))
  }

  atomically<T>(work: () => T): T {
    return this.#parts.transactions.run(this.#epoch, work)
  }

  isTransactionOpen(): boolean {
    return this.#database.inTransaction
  }

  raiseEpoch(holder: string, now: number): number {
    const { transactions, instance } = this.#parts
    this.#epoch = transactions.runUnguarded(() => instance.raiseEpoch(holder, now))
    return this.#epoch
  }

  protected get database(): Database {
    return this.#database
  }

  protected write<T>(work: (parts: StoreParts) => T): T {
    return this.#parts.transactions.run(this.#epoch, () => work(this.#parts))
  }

  protected read<T>(work: (parts: StoreParts) => T): T {
    try {
      return work(this.#parts)
    } catch (thrown) {
      throw toStorageError(thrown)
    }
  }
}
