import { errorExtract } from '../domain/error-extract.ts'
import type { JobView } from '../domain/wire/shared.ts'
import { type Cut, fitAnswer } from './fit-answer.ts'

interface JobsAnswer {
  readonly jobs: readonly JobView[]
  readonly next: string
}

const shortTailCharacters = 600
const smallValueCharacters = 1_000

function size(value: unknown): number {
  return value === undefined ? 0 : JSON.stringify(value).length
}

function withoutLarge(job: JobView, limit: number): JobView {
  const kept = { ...job }
  if (size(kept.result) > limit) delete kept.result
  if (size(kept.params) > limit) delete kept.params
  if (size(kept.limits) > limit) delete kept.limits
  if (size(kept.changes) > limit) delete kept.changes
  if (size(kept.attempt_history) > limit) kept.attempt_history = kept.attempt_history?.slice(-3)
  return kept
}

function withShortTail(job: JobView): JobView {
  const tail = job.error?.untrusted_output_tail
  if (job.error === null || tail === undefined || tail.length <= shortTailCharacters) return job
  return { ...job, error: { ...job.error, untrusted_output_tail: errorExtract(tail, shortTailCharacters) } }
}

/** A review is what a person decides by: its results are cut last, its figures never. */
function withShortReview(job: JobView): JobView {
  if (job.review === undefined) return job
  const results = job.review.results.map((one) =>
    size(one.result) > shortTailCharacters ? { ...one, result: null } : one,
  )
  return { ...job, review: { ...job.review, results } }
}

function withoutDetails(job: JobView): JobView {
  const kept = { ...job }
  delete kept.result
  delete kept.params
  delete kept.limits
  delete kept.attempt_history
  delete kept.changes
  return kept
}

/** Makes an answer about many or large jobs smaller; every job stays. */
export function fitJobs<Answer extends JobsAnswer>(answer: Answer): Answer {
  const each =
    (change: (job: JobView) => JobView): Cut<Answer> =>
    (current) => ({ ...current, jobs: current.jobs.map(change) })
  const cuts = [
    each((job) => withoutLarge(job, 4 * smallValueCharacters)),
    each((job) => withoutLarge(job, smallValueCharacters)),
    each(withShortTail),
    each(withoutDetails),
    each(withShortReview),
  ]
  return fitAnswer(answer, cuts, 'job_status')
}
