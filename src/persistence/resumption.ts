import type { Statement } from 'better-sqlite3'
import type { Fence, Json } from '../domain/job.ts'
import type { Checkpoint } from '../domain/ports/remote-executor.ts'
import { fenceBinds } from './claims.ts'
import type { Binds, Prepare } from './statement-loader.ts'

/** What the next attempt of a unit takes over from those before. */
export class Resumption {
  readonly #recordCheckpoint: Statement<[Binds]>
  readonly #readCheckpoints: Statement<[Binds], { id: string; checkpoint: string; format: string | null }>
  readonly #findLostLast: Statement<[Binds], { id: string }>

  constructor(prepare: Prepare) {
    this.#recordCheckpoint = prepare('record_checkpoint')
    this.#readCheckpoints = prepare<{ id: string; checkpoint: string; format: string | null }>('read_checkpoints')
    this.#findLostLast = prepare<{ id: string }>('find_units_lost_last')
  }

  recordCheckpoint(fence: Fence, { state, format }: Checkpoint): boolean {
    const binds = { ...fenceBinds(fence), checkpoint: JSON.stringify(state), format }
    return this.#recordCheckpoint.run(binds).changes === 1
  }

  readCheckpoints(unitIds: readonly string[]): Map<string, Checkpoint> {
    const rows = this.#readCheckpoints.all({ unit_ids: JSON.stringify(unitIds) })
    return new Map(rows.map(({ id, checkpoint, format }) => [id, { state: JSON.parse(checkpoint) as Json, format }]))
  }

  wasLostLast(unitIds: readonly string[]): Set<string> {
    return new Set(this.#findLostLast.all({ unit_ids: JSON.stringify(unitIds) }).map((row) => row.id))
  }
}
