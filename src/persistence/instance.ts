import type { Statement } from 'better-sqlite3'
import { QueueError } from '../domain/errors.ts'
import type { Binds, Prepare } from './statement-loader.ts'

/** Whose database this is, and who may write to it. */
export class Instance {
  readonly #read: Statement<[Binds], { instance_id: string }>
  readonly #insert: Statement<[Binds]>
  readonly #raiseEpoch: Statement<[Binds], { epoch: number }>

  constructor(prepare: Prepare) {
    this.#read = prepare<{ instance_id: string }>('read_instance')
    this.#insert = prepare('insert_instance')
    this.#raiseEpoch = prepare<{ epoch: number }>('raise_epoch')
  }

  read(): string | null {
    return this.#read.get({})?.instance_id ?? null
  }

  insert(instanceId: string, now: number): void {
    this.#insert.run({ instance_id: instanceId, now })
  }

  raiseEpoch(holder: string, now: number): number {
    const row = this.#raiseEpoch.get({ holder, now })
    if (row === undefined) throw new QueueError('internal', 'the epoch could not be raised')
    return row.epoch
  }
}
