import { basename } from 'node:path'
import { formatDuration } from '../../domain/format-duration.ts'
import { formatInstant } from '../../domain/format-instant.ts'
import type { Job, JobOptions } from '../../domain/job.ts'
import { poisonLimit } from '../../domain/retry-policy.ts'

/** What a shell would take as more than text, with what a person wants by it. */
const shellSigns: ReadonlyMap<string, string> = new Map([
  ['|', 'a pipe'],
  ['||', 'several commands'],
  ['&&', 'several commands'],
  [';', 'several commands'],
  ['>', 'a redirection'],
  ['>>', 'a redirection'],
  ['<', 'a redirection'],
  ['2>&1', 'a redirection'],
])

export interface NoteFacts {
  readonly job: Job
  readonly options: JobOptions
  /** As the caller said it. */
  readonly params: Readonly<Record<string, unknown>>
  /** True: a handler; its signs of life are more than output. */
  readonly isHandler: boolean
  /** Whether any GPU worker is configured. */
  readonly hasGpuWorkers: boolean
  /** The directory, when it does not exist at this moment. */
  readonly missingDirectory: string | null
  /** Wall time in ms. */
  readonly now: number
}

/** What will happen to a submitted job, in sentences: nothing about its start, retries or limits is to be a surprise. */
export function submitNotes({
  job,
  options,
  params,
  isHandler,
  hasGpuWorkers,
  missingDirectory,
  now,
}: NoteFacts): string[] {
  return [
    ...startNotes(job, now),
    ...(missingDirectory === null
      ? []
      : [`Its directory ${missingDirectory} does not exist now; it fails unless that is made before it starts.`]),
    ...shellNotes(params),
    ...gpuNotes(options.gpu, hasGpuWorkers),
    ...unitNotes(job),
    retryNote(job.maxAttempts, options),
    options.rerunWhenLost
      ? `If its processes vanish (power cut, reboot), it is run again, up to ${poisonLimit} vanished attempts; rerun_when_lost: false prevents that.`
      : 'If its processes vanish (power cut, reboot), it fails and is not run again.',
    ...(options.rateLimit === null
      ? []
      : [
          `When it is told to slow down, ${options.limitKey === null ? 'its queue waits' : 'units with the same key wait'} ${formatDuration(options.rateLimit.waitMs)} (or as long as a line "retry-after: …" says) and nothing counts as a failure.`,
        ]),
    ...(options.totalTimeoutMs === null
      ? []
      : [`The whole job is ended after ${formatDuration(options.totalTimeoutMs)} of running time.`]),
    ...(options.unitTimeoutMs === null
      ? []
      : [`Each attempt is ended after ${formatDuration(options.unitTimeoutMs)}.`]),
    ...(options.idleTimeoutMs === null
      ? []
      : [
          `It is ended after ${formatDuration(options.idleTimeoutMs)} without ${isHandler ? 'progress, checkpoint or output' : 'output'}.`,
        ]),
  ]
}

function retryNote(maxAttempts: number, { backoff }: JobOptions): string {
  if (maxAttempts === 1) return 'A failed run is not retried (max_attempts 1).'
  const first = `after a random pause of at most ${formatDuration(backoff.initialMs)}`
  if (maxAttempts === 2) return `A failed run is retried once, ${first}.`
  return `A failed run is retried up to ${maxAttempts - 1} times, ${first} at first, later of at most ${formatDuration(backoff.maxMs)}.`
}

function unitNotes(job: Job): string[] {
  const { failureBudget, testUnits } = job
  const { units, percent, stopEarly } = failureBudget
  const tolerated =
    units === null
      ? percent === null
        ? null
        : `${percent} % failed units`
      : units === 1
        ? 'one failed unit'
        : `${units} failed units`
  return [
    ...(testUnits === null
      ? []
      : [
          `${testUnits === 1 ? 'The first runs' : `The first ${testUnits} run`}; then it waits for approval (decide_job): nothing else starts before.`,
        ]),
    ...(tolerated === null
      ? []
      : [
          `It completes with up to ${tolerated}; with more it fails${stopEarly ? ', and the rest is cancelled at once' : ''}.`,
        ]),
    ...(tolerated === null && stopEarly ? ['The first failed unit cancels the rest.'] : []),
    ...(job.finalStep === null
      ? []
      : ['Its final step runs once all units have ended; a cancel or an early stop skips it.']),
    ...(job.openDependencies === 0
      ? []
      : [
          `It waits for ${job.openDependencies === 1 ? 'another job' : `${job.openDependencies} other jobs`}; if one with the condition "completed" fails, it is cancelled.`,
        ]),
    ...(job.keepOpen ? ['It stays open for units (add_units) and ends only once it is closed.'] : []),
  ]
}

function gpuNotes(gpu: JobOptions['gpu'], hasWorkers: boolean): string[] {
  if (gpu === undefined) return []
  const wait = formatDuration(gpu.waitMs)
  const add = 'nightkiln gpu add adds one'
  if (gpu.preference === 'require')
    return [
      `It runs at a GPU worker alone, waits up to ${wait} for one and then fails.${hasWorkers ? '' : ` No GPU worker is configured; ${add}.`}`,
    ]
  if (!hasWorkers)
    return [`It would rather run on a GPU; no GPU worker is configured, so it runs on this machine; ${add}.`]
  return [
    gpu.fallback === 'never'
      ? `It runs at a GPU worker; when none takes it within ${wait}, or one is lost, it fails: gpu_fallback is "never".`
      : `It runs at a GPU worker; when none is there, none has a place within ${wait}, or one is lost, it falls back to this machine and says why.`,
  ]
}

function startNotes(job: Job, now: number): string[] {
  // 0: no start time was given.
  if (job.runAt === 0) return []
  if (job.runAt > now) return [`It starts at ${formatInstant(job.runAt)}, in ${formatDuration(job.runAt - now)}.`]
  return job.runAt > job.createdAt ? [] : [`Its start time ${formatInstant(job.runAt)} has passed: it starts now.`]
}

function shellNotes(params: Readonly<Record<string, unknown>>): string[] {
  const argv: unknown = params['argv']
  if (params['shell'] === true || !Array.isArray(argv)) return []
  const [program, ...words] = argv.map(String)
  // An interpreter is given its signs on purpose.
  if (program === undefined || takesSigns.has(basename(program))) return []
  const pattern = takesPatterns.has(basename(program)) ? undefined : words.find((word) => filePattern.test(word))
  if (pattern !== undefined) {
    return [
      `${JSON.stringify(pattern)} is passed to ${basename(program)} as plain text: no shell runs. For a run per file use source {"kind":"glob","pattern":${JSON.stringify(pattern)}} and {{unit.path}}; for one run over all files use shell: true with script.`,
    ]
  }
  const sign = words.find((word) => shellSigns.has(word))
  if (sign === undefined) return []
  return [
    `"${sign}" is passed to ${basename(program)} as plain text: no shell runs. For ${shellSigns.get(sign)} use shell: true with script.`,
  ]
}

/** A word that a shell would replace by names of files: no quotes, no regular expression. */
const filePattern = /^[\w./~-]*\*[\w./*-]*\.\w+$/
/** Programs that take such a word themselves. */
const takesPatterns: ReadonlySet<string> = new Set(['grep', 'egrep', 'rg', 'fd', 'git', 'unzip', 'tar', 'rsync', 'zip'])

/** Programs to which such a word alone is an ordinary argument. */
const takesSigns: ReadonlySet<string> = new Set(['expr', 'test', '[', 'find', 'sh', 'bash', 'zsh', 'dash'])
