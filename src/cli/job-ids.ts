import type { ManagerClient } from '../client/manager-client.ts'
import { QueueError } from '../domain/errors.ts'
import { jobId } from '../domain/wire/shared.ts'
import { shortId } from './display/job-table.ts'
import type { Session } from './session.ts'

const shortest = 4
const searchedPages = 10

/** Every command of a job finds the id of the job there. */
const ownIdVariable = 'NIGHTKILN_JOB_ID'

/**
 * Turns what was typed into job ids: as resolveJobIds, and `self` for the job whose command this is run by.
 * @throws QueueError job_not_found, or invalid_input when a short form is ambiguous or this runs in no job
 */
export async function typedJobIds(session: Session, typed: readonly string[]): Promise<string[]> {
  const ids = typed.map((text) => (text === 'self' ? ownJobId(session.environment) : text))
  return resolveJobIds(session.client(), ids, session.interrupted)
}

/** The same for a command that takes exactly one. */
export async function typedJobId(session: Session, typed: string): Promise<string> {
  const [id = typed] = await typedJobIds(session, [typed])
  return id
}

/** @returns the same options with whole ids in --depends-on, which is ID, ID:NAME or ID:NAME:ended. */
export async function withWholeDependencies<Options extends { readonly dependsOn?: readonly string[] }>(
  session: Session,
  options: Options,
): Promise<Options> {
  if (options.dependsOn === undefined) return options
  const dependsOn: string[] = []
  for (const text of options.dependsOn) {
    const [typed = '', ...rest] = text.split(':')
    dependsOn.push([await typedJobId(session, typed), ...rest].join(':'))
  }
  return { ...options, dependsOn }
}

function ownJobId(environment: NodeJS.ProcessEnv): string {
  const own = environment[ownIdVariable]
  if (own !== undefined && own !== '') return own
  throw new QueueError('invalid_input', `"self" names no job here: ${ownIdVariable} is not set`, {
    remedy: 'Use "self" only in a command that Nightkiln runs; elsewhere give the id.',
  })
}

/**
 * Turns what a person typed into job ids: whole ids, their ends as tables show them, or `last`.
 * @throws QueueError job_not_found, or invalid_input when a short form is ambiguous
 */
export async function resolveJobIds(
  client: ManagerClient,
  typed: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  if (typed.every(isWholeId)) return unique(typed.map((text) => text.toLowerCase()))
  const known: string[] = []
  let cursor: string | undefined
  for (let page = 0; page < searchedPages; page += 1) {
    const answer = await client.call(
      'list_jobs',
      { limit: 100, ...(cursor === undefined ? {} : { cursor }) },
      { signal },
    )
    known.push(...answer.jobs.map((job) => job.id))
    if (answer.next_cursor === null || !typed.some((text) => needsMore(text, known))) break
    cursor = answer.next_cursor
  }
  return unique(typed.map((text) => pick(text, known)))
}

function isWholeId(text: string): boolean {
  return jobId.safeParse(text.toLowerCase()).success
}

function needsMore(text: string, known: readonly string[]): boolean {
  return text !== 'last' && !isWholeId(text) && !known.some((id) => id.endsWith(text.toLowerCase()))
}

/** @param known ids, newest first */
export function pick(text: string, known: readonly string[]): string {
  const wanted = text.toLowerCase()
  if (isWholeId(wanted)) return wanted
  if (wanted === 'last') {
    const newest = known[0]
    if (newest !== undefined) return newest
    throw new QueueError('job_not_found', 'there is no job yet, so "last" names none', {
      remedy: 'Submit one: nightkiln submit -- COMMAND',
    })
  }
  if (wanted.length < shortest || !/^[0-9a-f-]+$/.test(wanted)) {
    throw new QueueError('invalid_input', `"${text}" is not a job id`, {
      remedy: `Give a whole id, at least ${shortest} characters of its end (digits and a–f), or "last"; nightkiln list shows them.`,
    })
  }
  const found = known.filter((id) => id.endsWith(wanted))
  if (found.length === 1 && found[0] !== undefined) return found[0]
  if (found.length === 0)
    throw new QueueError('job_not_found', `no job among the newest ${known.length} has an id that ends in "${text}"`)
  throw new QueueError(
    'invalid_input',
    `"${text}" fits ${found.length} jobs: ${found.slice(0, 5).map(shortId).join(', ')}`,
    {
      remedy: 'Give more of the id.',
    },
  )
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)]
}
