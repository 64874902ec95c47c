import type { Statement } from 'better-sqlite3'
import type { NewUnit } from '../domain/ports/source-store.ts'
import type { Binds, Prepare } from './statement-loader.ts'

export interface InsertedUnits {
  readonly added: number
  /** Their key was in the job already. */
  readonly skipped: number
  /** Limit keys of those added. */
  readonly limitKeys: ReadonlySet<string | null>
}

/** Adds units with their inputs. */
export class UnitInserts {
  readonly #insert: Statement<[Binds]>
  readonly #insertPayload: Statement<[Binds]>
  readonly #insertMany: Statement<[Binds]>
  readonly #insertManyPayloads: Statement<[Binds]>

  constructor(prepare: Prepare) {
    this.#insertMany = prepare('insert_units')
    this.#insertManyPayloads = prepare('insert_unit_payloads')
    this.#insert = prepare('insert_unit')
    this.#insertPayload = prepare('insert_unit_payload')
  }

  /** @param firstPosition of the first one; positions have no gaps */
  insertAll(jobSeq: number, firstPosition: number, units: readonly NewUnit[], forGpu: boolean): InsertedUnits {
    const mayRepeat = units.some((unit) => unit.key != null)
    return mayRepeat
      ? this.#insertEach(jobSeq, firstPosition, units, forGpu)
      : this.#insertTogether(jobSeq, firstPosition, units, forGpu)
  }

  /** Two statements for all: a third of the cost. */
  #insertTogether(jobSeq: number, firstPosition: number, units: readonly NewUnit[], forGpu: boolean): InsertedUnits {
    if (units.length === 0) return { added: 0, skipped: 0, limitKeys: new Set() }
    const rows = JSON.stringify(units.map((unit) => [unit.id, unit.limitKey ?? null, JSON.stringify(unit.input)]))
    const inserted = this.#insertMany.run({
      units: rows,
      job_seq: jobSeq,
      for_gpu: forGpu ? 1 : 0,
      first_position: firstPosition,
    })
    const firstSeq = (inserted.lastInsertRowid as number) - units.length + 1
    this.#insertManyPayloads.run({ units: rows, first_seq: firstSeq })
    return { added: units.length, skipped: 0, limitKeys: new Set(units.map((unit) => unit.limitKey ?? null)) }
  }

  #insertEach(jobSeq: number, firstPosition: number, units: readonly NewUnit[], forGpu: boolean): InsertedUnits {
    const limitKeys = new Set<string | null>()
    let added = 0
    for (const unit of units) {
      const limitKey = unit.limitKey ?? null
      const inserted = this.#insert.run({
        id: unit.id,
        job_seq: jobSeq,
        position: firstPosition + added,
        key: unit.key ?? null,
        limit_key: limitKey,
        final_step: 0,
        for_gpu: forGpu ? 1 : 0,
      })
      if (inserted.changes === 0) continue
      this.#insertPayload.run({ unit_seq: inserted.lastInsertRowid as number, input: JSON.stringify(unit.input) })
      limitKeys.add(limitKey)
      added += 1
    }
    return { added, skipped: units.length - added, limitKeys }
  }

  /** The unit that runs when all others have ended. */
  insertFinalStep(jobSeq: number, position: number, unitId: string): void {
    const unit = { id: unitId, job_seq: jobSeq, position, key: null, limit_key: null, final_step: 1, for_gpu: 0 }
    const inserted = this.#insert.run(unit)
    this.#insertPayload.run({ unit_seq: inserted.lastInsertRowid as number, input: 'null' })
  }
}
