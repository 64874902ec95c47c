import { harmlessJson } from '../../domain/display-text.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Job, Json, Unit } from '../../domain/job.ts'
import { isFinalJobState } from '../../domain/states.ts'
import type { ResultAnswer } from '../../domain/wire/jobs.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { type ArtifactText, artifactText } from './artifact-text.ts'
import { boundedJson } from './bounded-json.ts'
import { artifactNamed, artifactView, type ShownArtifacts, shownArtifacts } from './job-artifacts.ts'
import { nextStep } from './job-status.ts'
import { unitAt } from './job-unit.ts'
import { displayOf, finalStepOf, jobView } from './job-view.ts'
import type { ServiceContext } from './service-context.ts'
import { shownResult } from './shown-result.ts'

const mostUnits = 1_000

type ResultRequest = OperationCall<'job_result'>

/**
 * The result of a job or of one of its units, bounded, and the files it made; with `artifact` the beginning of one of these instead
 * of the result. Whoever sees `completed` finds all of it here (promise P5).
 * @throws QueueError job_not_found, unit_not_found, invalid_input (no such artifact, or several)
 */
export function jobResult(context: ServiceContext, request: ResultRequest): ResultAnswer | Promise<ResultAnswer> {
  const job = context.store.readJob(request.id)
  if (job === null) throw new QueueError('job_not_found', `no job has the id ${request.id}`)
  const unit = request.unit === undefined ? null : unitAt(context, job.id, request.unit).unit
  return request.artifact === undefined
    ? resultOf(context, request, job, unit)
    : artifactOf(context, { ...request, artifact: request.artifact }, job, unit)
}

function resultOf(context: ServiceContext, request: ResultRequest, job: Job, unit: Unit | null): ResultAnswer {
  const { store } = context
  const outputs = (unit === null ? resultUnits(context, job) : [unit]).map((each) => outputOf(context, each))
  const bounded = boundedJson(harmlessJson(outputs.length === 1 ? (outputs[0] ?? null) : outputs), request.max_bytes)
  const finalStep = unit === null && job.finalStep === 'done' ? finalStepOf(store, job) : null
  const shown = shownArtifacts(context, job, unit)
  return {
    ...stateOf(context, job),
    result: bounded.value,
    ...(finalStep === null
      ? {}
      : { final_result: boundedJson(harmlessJson(outputOf(context, finalStep)), request.max_bytes).value }),
    result_bytes: bounded.bytes,
    truncated: bounded.truncated,
    artifacts: shown.artifacts.map((artifact) => artifactView(context, artifact)),
    more_artifacts: shown.more,
    next: isFinalJobState(job.state)
      ? `${bounded.truncated ? wholeResult(job) : ''}${nextRead(job, shown)}job_logs {"id":"${job.id}"} has what it printed.`
      : nextStep([jobView(context, job, 'concise')], context.clock.now()),
  }
}

async function artifactOf(
  context: ServiceContext,
  request: ResultRequest & { readonly artifact: string },
  job: Job,
  unit: Unit | null,
): Promise<ResultAnswer> {
  const artifact = artifactView(context, artifactNamed(context, job, unit, request.artifact))
  const read = await artifactText(artifact.path, request.max_bytes)
  return {
    ...stateOf(context, job),
    result: null,
    result_bytes: 0,
    truncated: read.kind === 'text' && read.truncated,
    artifacts: [artifact],
    more_artifacts: false,
    untrusted_artifact_text: read.kind === 'text' ? read.text : null,
    next: `${afterArtifact(read, artifact.path)} job_result {"id":"${job.id}"} lists all files.`,
  }
}

function resultUnits({ store }: ServiceContext, job: Job): readonly Unit[] {
  return store.readUnits(job.id, { limit: mostUnits }).filter((unit) => !unit.finalStep)
}

function outputOf({ store }: ServiceContext, unit: Unit): Json {
  return shownResult(store.readUnitPayload(unit.id)?.output ?? null)
}

function stateOf(context: ServiceContext, job: Job): Pick<ResultAnswer, 'id' | 'state' | 'final'> {
  return { id: job.id, state: displayOf(context, job).state, final: isFinalJobState(job.state) }
}

/** A file has no limit: the rows of an export are whole. */
function wholeResult(job: Job): string {
  return `export_jobs {"ids":["${job.id}"],"what":"units"} writes the whole result into a file. `
}

function nextRead(job: Job, { artifacts: [first], more }: ShownArtifacts): string {
  if (first === undefined) return ''
  const unit = job.counts.total === 1 && job.finalStep === null ? '' : `,"unit":${first.position}`
  const rest = more ? 'There are more files: ask for one unit. ' : ''
  return `${rest}job_result {"id":"${job.id}","artifact":${JSON.stringify(first.name)}${unit}} reads a file. `
}

function afterArtifact(read: ArtifactText, path: string): string {
  if (read.kind === 'missing') return `The file is gone: somebody removed ${path}.`
  if (read.kind === 'binary') return `It is no text; the file is ${path}.`
  return read.truncated ? `This is its beginning; the whole file is ${path}.` : 'That is all of it.'
}
