import type { ServerContext } from '@modelcontextprotocol/server'
import { cutText } from '../../domain/cut-text.ts'
import { jobId } from '../../domain/wire/shared.ts'
import { askManager, type LazyHost } from '../resources/ask-manager.ts'
import { jobIdsLike } from '../resources/complete-jobs.ts'
import type { ServedPrompt } from '../served.ts'
import { type FailedJob, failedJob } from './failed-job.ts'
import { argumentOf, type Fact, promptOf, promptOfFailure } from './prompt-text.ts'
import { sinceArgument, spanText } from './since.ts'

const description = 'Why my jobs failed, and how to get them done.'
const longestArgument = 100
/** Looked at closely; of the others a line is shown. */
const closelySeen = 3
const mostLines = 20
const longestWhy = 200

/**
 * Finds out why jobs failed.
 * @param now ms since 1970
 */
export function triageFailures(host: LazyHost, now: () => number = Date.now): ServedPrompt {
  return {
    listed: {
      name: 'triage_failures',
      title: 'Find out why jobs failed',
      description,
      arguments: [
        { name: 'since', description: 'Such as 12h, 3d or 2031-05-04; left out: 7d', required: false },
        { name: 'id', description: 'Only this job; left out: all that failed', required: false },
      ],
    },

    async get(given, { mcpReq: { signal } }: ServerContext) {
      const id = argumentOf(given, 'id', longestArgument)
      const since = argumentOf(given, 'since', longestArgument) ?? '7d'
      const after = sinceArgument(since, now())
      try {
        if (id !== undefined) return promptOfJob(id, await oneJob(host, id, signal))
        return promptOfJobs(since, await failedSince(host, after, signal))
      } catch (error) {
        return promptOfFailure(description, 'the jobs that failed', error)
      }
    },

    async complete(argument, begun) {
      if (argument === 'id') return await jobIdsLike(host, begun, { states: ['failed'] })
      return argument === 'since' ? ['12h', '1d', '3d', '7d', '30d'].filter((each) => each.startsWith(begun)) : []
    },
  }
}

interface Failures {
  readonly seen: readonly FailedJob[]
  /** One line each. */
  readonly others: readonly string[]
  /** Older ones were not looked at. */
  readonly more: boolean
}

async function oneJob(host: LazyHost, id: string, signal: AbortSignal): Promise<FailedJob | null> {
  const isId = jobId.safeParse(id.toLowerCase()).success
  return isId ? await failedJob(host, id.toLowerCase(), signal) : null
}

/** By the time of their end: a job of last week may have failed today. */
async function failedSince(host: LazyHost, after: number, signal: AbortSignal): Promise<Failures> {
  const page = await askManager(host, 'list_jobs', { states: ['failed'], limit: 100 }, signal)
  const failed = page.jobs.filter(({ finished_at: end, created_at: begin }) => Date.parse(end ?? begin) >= after)
  const seen = await Promise.all(failed.slice(0, closelySeen).map(({ id }) => failedJob(host, id, signal)))
  return {
    seen: seen.filter((job) => job !== null),
    others: failed
      .slice(closelySeen, closelySeen + mostLines)
      .map(({ id, name, why }) => JSON.stringify({ id, name, why: cutText(why, longestWhy) })),
    more: page.has_more || failed.length > closelySeen + mostLines,
  }
}

function promptOfJob(id: string, job: FailedJob | null) {
  if (job === null) {
    return promptOf({
      description,
      task: 'Find the job that I mean and tell me why it failed. No job has what I gave as its id.',
      facts: [{ title: 'What I gave as the id', data: id }],
      steps: [
        `Call list_jobs ${JSON.stringify({ text: id })}, then list_jobs {"states":["failed"]}; an id looks like 01890a5d-ac96-774b-bcce-b302099a8057. The job may also have been deleted.`,
        'If exactly one job fits, call job_status {"ids":["…"]} and job_logs {"id":"…"} with its id and tell me why it failed; otherwise show me the candidates and ask.',
      ],
    })
  }
  const task = job.failed
    ? `Find out why the job ${job.id} failed, and how to get it done.`
    : `Look at the job ${job.id}. It has not failed: tell me how it is, and whether anything is wrong with it.`
  return promptOf({ description, task, facts: factsOf(job), steps: stepsFor([job]) })
}

function promptOfJobs(since: string, { seen, others, more }: Failures) {
  if (seen.length === 0) {
    return promptOf({
      description,
      task: `Tell me that none of my jobs in Nightkiln failed ${spanText(since)}.`,
      facts: [],
      steps: ['If I wonder about a certain job, call list_jobs {"text":"…"} with a word of its name.'],
    })
  }
  const rest: Fact[] = others.length === 0 ? [] : [{ title: 'Failed as well', data: others.join('\n') }]
  return promptOf({
    description,
    task: `Find out why my jobs in Nightkiln failed ${spanText(since)}, the newest first, and how to get them done.`,
    facts: [...seen.flatMap(factsOf), ...rest],
    steps: [
      ...(more ? ['There are more: list_jobs {"states":["failed"],"limit":100} and its next_cursor show them.'] : []),
      ...stepsFor(seen),
    ],
  })
}

function factsOf({ id, facts, output }: FailedJob): Fact[] {
  const about = { title: `Job ${id}`, data: facts.join('\n') }
  return output === '' ? [about] : [about, { title: `What job ${id} printed`, data: output }]
}

function stepsFor(jobs: readonly FailedJob[]): string[] {
  const id = jobs[0]?.id ?? '…'
  const batch = jobs.find(({ isBatch }) => isBatch)
  return [
    'Say for each job in one or two sentences what went wrong, and quote the line that shows it. Jobs with the same cause belong together. Say so where you guess.',
    `Where the output above does not show the cause: job_logs {"id":"${id}","max_bytes":20000}, or with "grep":"error".`,
    ...(batch === undefined
      ? []
      : [
          `Of a job with many units: list_units {"id":"${batch.id}","states":["failed"]} shows them with failure_groups, job_logs {"id":"${batch.id}","unit":0} the output of one.`,
        ]),
    'If several jobs failed for a reason outside of them (disk, network, a GPU worker): queue_status {}.',
    `Propose what to do, for each cause: rerun_job {"id":"${id}"} when it may pass a second time; rerun_job {"id":"${id}","overrides":{"params":{…}}} when something must change${batch === undefined ? '' : `; rerun_job {"id":"${batch.id}","only":"failed"} for the failed units alone`}. A rerun repeats the effects of the job: run it only when I agree.`,
  ]
}
