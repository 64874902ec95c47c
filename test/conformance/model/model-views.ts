import type { Attempt, Job, Json, Unit, UnitCounts } from '../../../src/domain/job.ts'
import type { StoredArtifact } from '../../../src/domain/ports/artifact-store.ts'
import type { HeldUnit, JobFilter } from '../../../src/domain/ports/job-store.ts'
import type { ModelAttempt, ModelDependency, ModelJob, ModelState, ModelUnit } from './model-state.ts'

export function unitsOf(state: ModelState, job: ModelJob): ModelUnit[] {
  return state.units.filter((unit) => unit.jobId === job.id)
}

export function countsOf(state: ModelState, job: ModelJob): UnitCounts {
  const units = unitsOf(state, job).filter((unit) => !unit.finalStep)
  const inState = (wanted: string) => units.filter((unit) => unit.state === wanted).length
  return {
    total: units.length,
    available: inState('available'),
    running: inState('running'),
    completed: inState('completed'),
    failed: inState('failed'),
    cancelled: inState('cancelled'),
  }
}

export function viewJob(state: ModelState, job: ModelJob): Job {
  const {
    params: _params,
    options: _options,
    context: _context,
    workHash: _workHash,
    finalStepSaid: _finalStepSaid,
    elapsedMs: _elapsedMs,
    settledEvent: _settledEvent,
    dependencies: _dependencies,
    ...visible
  } = job
  return structuredClone({ ...visible, counts: countsOf(state, job) }) as Job
}

/** What a job still waits for. */
export function openDependenciesOf(job: ModelJob): ModelDependency[] {
  return job.dependencies.filter((each) => each.state === null)
}

export function viewUnit(unit: ModelUnit): Unit {
  const { id, jobId, position, key, limitKey, finalStep, attempt, failures, crashes } = unit
  const progress = unit.progress !== null && unit.progress.attempt === attempt ? unit.progress.value : null
  const base = { id, jobId, position, key, limitKey, finalStep, attempt, failures, crashes, progress }
  if (unit.state === 'available') return { ...base, state: unit.state, availableAt: unit.availableAt }
  if (unit.state === 'running')
    return { ...base, state: unit.state, nonce: unit.nonce ?? '', workerId: unit.workerId ?? '' }
  return { ...base, state: unit.state, finishedAt: unit.finishedAt ?? 0 }
}

export function viewAttempt(unit: ModelUnit, attempt: ModelAttempt): Attempt {
  const {
    elapsedMs: _elapsedMs,
    outputBytes: _outputBytes,
    droppedBytes: _droppedBytes,
    artifacts: _artifacts,
    ...visible
  } = attempt
  return structuredClone({ unitId: unit.id, ...visible }) as Attempt
}

/** Files of the unit's last attempt, by name. */
export function artifactsOf({ id: unitId, position, attempts }: ModelUnit): StoredArtifact[] {
  const last = attempts.at(-1)
  if (last === undefined) return []
  const { attempt, nonce, artifacts } = last
  const byName = [...artifacts].sort((left, right) => (left.name < right.name ? -1 : 1))
  return byName.map((artifact) => ({ unitId, position, attempt, nonce, ...artifact }))
}

export function viewHeld(state: ModelState, unit: ModelUnit): HeldUnit {
  const job = state.jobs.find((each) => each.id === unit.jobId)
  const attempt = unit.attempts.at(-1)
  if (job === undefined || attempt === undefined) throw new Error(`unit ${unit.id} is held without a job or an attempt`)
  return {
    fence: { unitId: unit.id, attempt: unit.attempt, nonce: unit.nonce ?? '', workerId: unit.workerId ?? '' },
    job: viewJob(state, job),
    executor: attempt.executor,
    limitKey: unit.limitKey,
    runner: attempt.runner,
    remote: attempt.remote,
    startedAt: attempt.startedAt,
    failures: unit.failures,
    elapsedMs: attempt.elapsedMs,
  }
}

export function matches(job: ModelJob, filter: JobFilter): boolean {
  if (filter.states !== undefined && !filter.states.includes(job.state)) return false
  if (filter.type !== undefined && filter.type !== job.type) return false
  if (filter.queue !== undefined && filter.queue !== job.queue) return false
  if (filter.createdAfter !== undefined && job.createdAt <= filter.createdAfter) return false
  if (filter.createdBefore !== undefined && job.createdAt >= filter.createdBefore) return false
  const labels = Object.entries(filter.labels ?? {})
  if (labels.some(([key, value]) => job.labels[key] !== value)) return false
  return filter.text === undefined || containsWords(job, filter.text)
}

function containsWords(job: ModelJob, text: string): boolean {
  const wanted = wordsOf(text)
  const labels = Object.entries(job.labels).flat()
  const searched = [job.name, job.type, job.error?.message ?? '', ...labels, ...leavesOf(job.params)]
  const words = searched.flatMap((part) => wordsOf(part))
  return wanted.length > 0 && wanted.every((want) => words.some((word) => word.startsWith(want)))
}

function wordsOf(text: string): string[] {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}\p{M}]+/u)
    .filter((word) => word !== '')
    .map((word) => word.slice(0, 64))
}

function leavesOf(value: Json): string[] {
  if (value === null) return []
  if (typeof value !== 'object') return [String(value)]
  if (Array.isArray(value)) return value.flatMap((item: Json) => leavesOf(item))
  return Object.entries(value).flatMap(([key, item]) => [key, ...leavesOf(item)])
}
