import type { Statement } from 'better-sqlite3'
import type { Dependency, NewDependency } from '../domain/ports/job-store.ts'
import type { DependencyCondition, FinalJobState } from '../domain/states.ts'
import type { Binds, Prepare } from './statement-loader.ts'

export interface Dependent {
  readonly job_seq: number
  readonly id: string
  readonly condition: DependencyCondition
  readonly finished_at: number | null
}

/** Which jobs wait for which. */
export class Dependencies {
  readonly #hasJob: Statement<[Binds], { found: 1 }>
  readonly #insert: Statement<[Binds], { state: FinalJobState | null }>
  readonly #addOpen: Statement<[Binds]>
  readonly #read: Statement<[Binds], Dependency>
  readonly #readOpen: Statement<[Binds], { depends_on: string }>
  readonly #readDependents: Statement<[Binds], Dependent>
  readonly #close: Statement<[Binds]>

  constructor(prepare: Prepare) {
    this.#hasJob = prepare<{ found: 1 }>('has_job')
    this.#insert = prepare<{ state: FinalJobState | null }>('insert_dependency')
    this.#addOpen = prepare('add_open_dependencies')
    this.#read = prepare<Dependency>('read_dependencies')
    this.#readOpen = prepare<{ depends_on: string }>('read_open_dependencies')
    this.#readDependents = prepare<Dependent>('read_open_dependents')
    this.#close = prepare('close_dependencies')
  }

  read(jobId: string): Dependency[] {
    return this.#read.all({ job_id: jobId })
  }

  /** @returns the ids among them that no job has. */
  findMissing(wanted: readonly NewDependency[]): string[] {
    return [...new Set(wanted.map((each) => each.jobId))].filter(
      (jobId) => this.#hasJob.get({ job_id: jobId }) === undefined,
    )
  }

  /**
   * Records what a job waits for; what it waits for already stays as it is.
   * @returns true when one of them has ended in a way that was not wanted: the job can never run
   */
  add(jobSeq: number, wanted: readonly NewDependency[], now: number): boolean {
    let open = 0
    let isImpossible = false
    for (const { jobId, alias, condition } of mergeAlike(wanted)) {
      const row = this.#insert.get({ job_seq: jobSeq, depends_on: jobId, alias, condition, now })
      if (row === undefined) continue
      if (row.state === null) open += 1
      else if (condition === 'completed' && row.state !== 'completed') isImpossible = true
    }
    if (open > 0) this.#addOpen.run({ job_seq: jobSeq, added: open })
    return isImpossible
  }

  /** @returns the ids on the way from the job over one of `wanted` back to it, or null when there is none. */
  findCycle(jobId: string, wanted: readonly NewDependency[]): string[] | null {
    const cameFrom = new Map<string, string>()
    const open: string[] = []
    const visit = (id: string, from: string) => {
      if (cameFrom.has(id)) return
      cameFrom.set(id, from)
      open.push(id)
    }
    for (const each of wanted) visit(each.jobId, jobId)
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (id === jobId) return wayBack(jobId, cameFrom)
      for (const { depends_on: next } of this.#readOpen.all({ job_id: id })) visit(next, id)
    }
    return null
  }

  /** Tells whoever waits for a job how it ended. @returns those, oldest first */
  close(jobId: string, state: FinalJobState, now: number): Dependent[] {
    const dependents = this.#readDependents.all({ job_id: jobId })
    if (dependents.length > 0) this.#close.run({ job_id: jobId, state, now })
    return dependents
  }

  /** One that a job waited for has ended. */
  countDown(jobSeq: number): void {
    this.#addOpen.run({ job_seq: jobSeq, added: -1 })
  }
}

/** One entry a job: the first name, and the stricter condition. */
function mergeAlike(wanted: readonly NewDependency[]): NewDependency[] {
  const byJob = new Map<string, NewDependency>()
  for (const each of wanted) {
    const known = byJob.get(each.jobId)
    if (known === undefined) byJob.set(each.jobId, each)
    else if (each.condition === 'completed') byJob.set(each.jobId, { ...known, condition: 'completed' })
  }
  return [...byJob.values()]
}

function wayBack(jobId: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [jobId]
  let id = cameFrom.get(jobId)
  while (id !== undefined && id !== jobId) {
    way.push(id)
    id = cameFrom.get(id)
  }
  way.push(jobId)
  return way.reverse()
}
