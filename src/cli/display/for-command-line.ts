/**
 * The manager words its advice for models: names of tools and of their arguments. This is the one place that says it in
 * the words of the command line.
 */

const commands: Readonly<Record<string, string>> = {
  submit_job: 'submit',
  job_status: 'status',
  wait_for_jobs: 'wait',
  list_jobs: 'list',
  job_logs: 'logs',
  job_result: 'result',
  cancel_job: 'cancel',
  rerun_job: 'rerun',
  list_job_types: 'types',
  whats_new: 'new',
  queue_status: 'status',
}
/** Commands that are nothing without a job. */
const needsId = new Set(['job_logs', 'wait_for_jobs', 'job_status', 'job_result', 'cancel_job', 'rerun_job'])

const options: Readonly<Record<string, string>> = {
  type: '--type',
  params: '--params',
  'params.argv': 'the program',
  'params.script': '--shell',
  'params.cwd': '--cwd',
  'params.env': '--env',
  'params.stdin': '--stdin',
  'params.success_exit_codes': '--success-exit-code',
  name: '--name',
  labels: '--label',
  queue: '--queue',
  priority: '--priority',
  run_at: '--run-at',
  max_attempts: '--max-attempts',
  backoff: 'the backoff',
  'backoff.initial_s': '--backoff-initial',
  'backoff.max_s': '--backoff-max',
  'backoff.factor': '--backoff-factor',
  rerun_when_lost: '--rerun-when-lost',
  timeout_s: '--timeout',
  idle_timeout_s: '--idle-timeout',
  cancel_grace_s: '--cancel-grace',
  max_output_bytes: '--max-output',
  idempotency_key: '--key',
  states: '--state',
  created_after: '--since',
  created_before: '--before',
  text: '--text',
  limit: '--limit',
  cursor: '--cursor',
  unit: '--unit',
  attempt: '--attempt',
  grep: '--grep',
  max_lines: 'the number of lines',
  max_bytes: '--max-bytes',
  client: '--client',
  id: 'the job id',
  ids: 'the job ids',
}
/** Names that are nothing else in a sentence, so they are renamed wherever they stand. */
const unmistakable = Object.keys(options)
  .filter((name) => /[_.]/.test(name))
  .sort((left, right) => right.length - left.length)
const anywhere = new RegExp(`(?<![\\w."-])(${unmistakable.join('|').replaceAll('.', '\\.')})(?![\\w.-]*\\w)`, 'g')
const tool = new RegExp(
  `\\b(${Object.keys(commands).join('|')})(?: (\\{(?:[^{}]|\\{[^{}]*\\})*\\})| with detail "(full)")?(?: \\(nightkiln [a-z]+\\))?`,
  'g',
)
/** `name is …`, at the start or as one of several complaints. */
const subject = /(^|; )([a-z_]+(?:\.[^\s:]+)?)(?=:? (?:is|are|has|may|must|needs|cannot|contains|belongs)\b)/g

/**
 * @param text advice, note or complaint of the manager
 * @param id the job it is about, when there is one
 * @returns the same for somebody at the command line
 */
export function forCommandLine(text: string, id = 'ID'): string {
  return text
    .replace(/\brerun_when_lost: false\b/g, '--no-rerun-when-lost')
    .replace(tool, (_, name: string, given: string | undefined, full: string | undefined) =>
      commandText(name, given, full !== undefined, id),
    )
    .replace(/\b(Call|call) (?=nightkiln )/g, (_, word: string) => (word === 'Call' ? 'Run ' : 'run '))
    .replace(/\bthe same idempotency key\b/g, 'the same --key')
    .replace(/\bThe idempotency key\b/g, 'The --key')
    .replace(/\bas long as retry_after_ms says\b/g, 'a moment')
    .replace(/\bleave cursor out\b/g, 'leave --cursor out')
    .replace(subject, (whole, before: string, path: string) => {
      const option = optionOf(path)
      return option === null ? whole : before + option
    })
    .replace(anywhere, (name) => options[name] ?? name)
}

function commandText(name: string, given: string | undefined, full: boolean, id: string): string {
  const { ids, mode } = argumentsOf(given)
  const words = ['nightkiln', commands[name] ?? name]
  if (full) words.push('--full')
  if (mode === 'head') words.push('--head 100')
  if (mode === 'range') words.push('--all')
  if (ids.length > 0) words.push(...ids)
  else if (needsId.has(name) && given === undefined) words.push(id)
  return words.join(' ')
}

function argumentsOf(given: string | undefined): { ids: string[]; mode: unknown } {
  try {
    const value = JSON.parse(given ?? '{}') as { id?: unknown; ids?: unknown; mode?: unknown }
    const ids = Array.isArray(value.ids) ? value.ids : [value.id]
    return { ids: ids.filter((id): id is string => typeof id === 'string'), mode: value.mode }
  } catch {
    return { ids: [], mode: undefined }
  }
}

/** @returns what a path of the wire is called on the command line, null when it has no option */
function optionOf(given: string): string | null {
  const path = given.replace(/^overrides\./, '').replace(/\.\d+$/, '')
  const known = options[path]
  if (known !== undefined) return known
  const [, group, key] = /^(labels|params\.env|params)\.(.+)$/.exec(path) ?? []
  if (group === undefined || key === undefined) return null
  return group === 'params' ? `--param ${key}` : `${options[group]} ${key}`
}
