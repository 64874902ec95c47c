import { artifactFile, statePaths } from '../../config/paths.ts'
import { harmlessText } from '../../domain/display-text.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Job, Unit } from '../../domain/job.ts'
import type { StoredArtifact } from '../../domain/ports/artifact-store.ts'
import type { ArtifactView } from '../../domain/wire/jobs.ts'
import type { ServiceContext } from './service-context.ts'

const mostShown = 100
const mostNamed = 10
/** More than an attempt has in reason. */
const mostOfUnit = 10_000

export interface ShownArtifacts {
  readonly artifacts: readonly StoredArtifact[]
  /** True: there are more than are shown. */
  readonly more: boolean
}

/** The files of a job or of one of its units, at most 100. */
export function shownArtifacts({ store }: ServiceContext, job: Job, unit: Unit | null): ShownArtifacts {
  const found = store.readArtifacts(job.id, { limit: mostShown + 1, ...(unit === null ? {} : { unitId: unit.id }) })
  return { artifacts: found.slice(0, mostShown), more: found.length > mostShown }
}

/**
 * Finds the file of that name: of the unit that was named, else of the only one that has it.
 * @throws QueueError invalid_input when none has it, or several have
 */
export function artifactNamed(context: ServiceContext, job: Job, unit: Unit | null, name: string): StoredArtifact {
  const one = unit ?? onlyUnit(context, job)
  const { artifacts, more } =
    one === null
      ? shownArtifacts(context, job, null)
      : { artifacts: context.store.readArtifacts(job.id, { unitId: one.id, limit: mostOfUnit }), more: false }
  const found = artifacts.filter((each) => each.name === name || harmlessText(each.name) === name)
  const [first] = found
  if (first !== undefined && found.length === 1 && !more) return first
  if (found.length > 1 || more) throw ambiguous(job, found, name)
  const names = [...new Set(artifacts.map((each) => harmlessText(each.name)))]
  const some = names.slice(0, mostNamed).join(', ')
  const known = names.length === 0 ? 'it has none' : `it has ${some}${names.length > mostNamed ? ' …' : ''}`
  const of = unit === null ? `job ${job.id}` : `unit ${unit.position} of job ${job.id}`
  throw new QueueError('invalid_input', `${of} has no artifact "${harmlessText(name)}"; ${known}`, {
    remedy: `job_result {"id":"${job.id}"} lists them.`,
  })
}

function onlyUnit({ store }: ServiceContext, job: Job): Unit | null {
  const [first, ...others] = store.readUnits(job.id, { limit: 2 })
  return others.length === 0 ? (first ?? null) : null
}

function ambiguous(job: Job, found: readonly StoredArtifact[], name: string): QueueError {
  const units = found.slice(0, mostNamed).map((each) => each.position)
  const such = units.length === 0 ? '' : `, such as ${units.join(', ')}`
  const message = `job ${job.id} has files of several units: say of which unit "${harmlessText(name)}" is wanted${such}`
  return new QueueError('invalid_input', message, { remedy: 'Call again with unit: its position, from 0.' })
}

export function artifactView({ facts }: ServiceContext, artifact: StoredArtifact): ArtifactView {
  return {
    name: harmlessText(artifact.name),
    unit: artifact.position,
    media_type: harmlessText(artifact.mediaType),
    bytes: artifact.bytes,
    sha256: artifact.sha256,
    path: artifactFile(statePaths(facts.home), artifact),
  }
}
