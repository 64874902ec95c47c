import { type ErrorRecord, QueueError, toErrorRecord } from '../../domain/errors.ts'
import { type DeclaredJobs, jobKeyOf, wireJob } from './declared-jobs.ts'
import { frameLimitBytes } from './frames.ts'
import type { ToHost, WireRun } from './protocol.ts'
import type { AttemptWork, ThreadAttempt } from './thread-attempt.ts'

/** Of one message: the host works on the first units while the others are still read. */
const messageCharacters = 1024 * 1024
/** Of what has to fit into one frame, with room for what goes round it. */
const mostBytes = frameLimitBytes - 1024

export interface HandOver {
  /** Messages as JSON, in this order. */
  readonly texts: readonly string[]
  /** What no message can hold. */
  readonly refused: readonly { readonly attempt: ThreadAttempt; readonly error: ErrorRecord }[]
}

/** Makes the messages that hand attempts to a host: each job is declared before its first unit. */
export function orderTexts(attempts: readonly ThreadAttempt[], jobs: DeclaredJobs): HandOver {
  const texts: string[] = []
  const refused: { attempt: ThreadAttempt; error: ErrorRecord }[] = []
  let jobKey = ''
  let items: string[] = []
  let characters = 0
  const finishRun = (): void => {
    if (items.length > 0) texts.push(`{"kind":"run","job_key":${JSON.stringify(jobKey)},"items":[${items.join(',')}]}`)
    items = []
    characters = 0
  }
  for (const attempt of attempts) {
    if (attempt.work === null) continue
    const { job } = attempt.work
    const key = jobKeyOf(attempt.work)
    const item = JSON.stringify(wireRun(attempt, attempt.work))
    if (!fits(item)) {
      refused.push({ attempt, error: tooLarge('the unit and its checkpoint are') })
      continue
    }
    if (key !== jobKey || characters + item.length > messageCharacters) finishRun()
    jobKey = key
    if (!jobs.knows(key)) {
      const declaration = JSON.stringify({ kind: 'job', job: wireJob(job, key) } satisfies ToHost)
      if (!fits(declaration)) {
        refused.push({ attempt, error: tooLarge('the params and the results of the jobs it depends on are') })
        continue
      }
      texts.push(declaration)
    }
    jobs.use(key)
    items.push(item)
    characters += item.length
  }
  finishRun()
  return { texts, refused }
}

function wireRun({ key, fence }: ThreadAttempt, { task }: AttemptWork): WireRun {
  return {
    key,
    unit_id: fence.unitId,
    attempt: fence.attempt,
    nonce: fence.nonce,
    ...(task.unit === undefined ? {} : { unit: task.unit }),
    position: task.position,
    ...(task.checkpoint === undefined ? {} : { checkpoint: task.checkpoint }),
    ...(task.resultsFile === null ? {} : { results_file: task.resultsFile }),
    ...(task.compute === 'gpu' ? { compute: task.compute } : {}),
    ...(task.seed === undefined ? {} : { seed: task.seed }),
  }
}

function fits(text: string): boolean {
  // A character takes three bytes at most.
  return text.length * 3 <= mostBytes || Buffer.byteLength(text) <= mostBytes
}

function tooLarge(what: string): ErrorRecord {
  return toErrorRecord(
    new QueueError('limit_exceeded', `${what} larger than ${Math.floor(frameLimitBytes / 1024 ** 2)} MiB together`, {
      remedy: 'Put large input into files and give their paths.',
    }),
  )
}
