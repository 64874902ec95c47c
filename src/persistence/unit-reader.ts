import type { Statement } from 'better-sqlite3'
import type { Unit } from '../domain/job.ts'
import type { UnitFilter } from '../domain/ports/job-store.ts'
import type { UnitState } from '../domain/states.ts'
import type { Binds, Prepare } from './statement-loader.ts'
import { toUnit, type UnitRow } from './unit-row.ts'

interface UnitPage {
  readonly afterPosition?: number
  readonly limit: number
}

/** Pages of a job's units. Failed and running ones are found by index; other states by walking the positions. */
export class UnitReader {
  readonly #one: Statement<[Binds], UnitRow>
  readonly #all: Statement<[Binds], UnitRow>
  readonly #failed: Statement<[Binds], UnitRow>
  readonly #running: Statement<[Binds], UnitRow>
  readonly #byState: Statement<[Binds], UnitRow>
  readonly #byKey: Statement<[Binds], UnitRow>

  constructor(prepare: Prepare) {
    this.#one = prepare<UnitRow>('read_unit')
    this.#all = prepare<UnitRow>('read_units')
    this.#failed = prepare<UnitRow>('read_failed_units')
    this.#running = prepare<UnitRow>('read_running_units')
    this.#byState = prepare<UnitRow>('read_units_by_state')
    this.#byKey = prepare<UnitRow>('read_units_by_key')
  }

  readOne(unitId: string): Unit | null {
    const row = this.#one.get({ unit_id: unitId })
    return row === undefined ? null : toUnit(row)
  }

  read(jobId: string, page: UnitPage, filter: UnitFilter): Unit[] {
    return this.#rows(jobId, page, filter).map((row) => toUnit(row))
  }

  #rows(jobId: string, page: UnitPage, filter: UnitFilter): UnitRow[] {
    const binds = { job_id: jobId, after_position: page.afterPosition ?? -1, limit: page.limit }
    const { states, keys } = filter
    if (keys !== undefined) {
      const wanted = states === undefined ? null : JSON.stringify(states)
      return this.#byKey.all({ ...binds, keys: JSON.stringify([...new Set(keys)]), states: wanted })
    }
    if (states === undefined) return this.#all.all(binds)
    return this.#ofStates(binds, new Set(states))
  }

  /** One walk for each way to find them, so that a page of failed units never passes a million completed ones. */
  #ofStates(binds: Binds & { limit: number }, states: ReadonlySet<UnitState>): UnitRow[] {
    const walked = [...states].filter((state) => state !== 'failed' && state !== 'running')
    const pages = [
      ...(states.has('failed') ? this.#failed.all(binds) : []),
      ...(states.has('running') ? this.#running.all(binds) : []),
      ...(walked.length > 0 ? this.#byState.all({ ...binds, states: JSON.stringify(walked) }) : []),
    ]
    return pages.sort((left, right) => left.position - right.position).slice(0, binds.limit)
  }
}
