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
  decide_job: 'approve',
  pause_job: 'pause',
  resume_job: 'resume',
  update_job: 'update',
  add_units: 'add-units',
  list_units: 'units',
  send_input: 'send',
  delete_jobs: 'delete',
  export_jobs: 'export',
  schedule_job: 'schedule add',
  list_schedules: 'schedule list',
  remove_schedule: 'schedule remove',
  add_gpu_worker: 'gpu add',
  remove_gpu_worker: 'gpu remove',
  list_gpu_workers: 'gpu list',
  test_gpu: 'gpu test',
}
/** Commands that are nothing without a job. */
const needsId = new Set([
  'job_logs',
  'wait_for_jobs',
  'job_status',
  'job_result',
  'cancel_job',
  'rerun_job',
  'decide_job',
  'pause_job',
  'resume_job',
  'update_job',
  'add_units',
  'list_units',
  'send_input',
])

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
  retry_on: '--retry-on',
  retry_exit_codes: '--retry-exit-codes',
  rejected_exit_codes: '--rejected-exit-codes',
  rate_limited: 'the rate limit',
  'rate_limited.exit_codes': '--rate-limited-codes',
  'rate_limited.text': '--rate-limited-text',
  'rate_limited.wait_s': '--rate-limited-wait',
  source: 'the source of units',
  'source.pattern': '--glob',
  'source.root': '--root',
  'source.exclude': '--exclude',
  'source.file': 'the file of units',
  'source.delimiter': '--csv-delimiter',
  'source.path': '--json-path',
  'source.query': '--query',
  'source.from': '--range',
  'source.to': '--range',
  'source.step': '--range',
  unit_key: '--unit-key',
  concurrency: '--concurrency',
  per_key: '--per-key',
  'per_key.key': '--per-key',
  'per_key.concurrency': '--per-key-concurrency',
  'per_key.rate_limit': '--per-key-rate',
  test_first: '--test-first',
  max_failed_units: '--max-failed',
  max_failed_percent: '--max-failed',
  stop_early: '--stop-early',
  final_step: '--final',
  'final_step.params': '--final-params',
  'params.interactive': '--interactive',
  keep_open: '--keep-open',
  depends_on: '--depends-on',
  total_timeout_s: '--total-timeout',
  gpu: '--gpu',
  gpu_fallback: '--gpu-fallback',
  gpu_wait_s: '--gpu-wait',
  ca_file: '--ca-file',
  allow_cpu: '--allow-cpu',
  cog_type: '--cog-type',
  'key.file': '--key-file',
  'key.env': '--key-env',
  'worker.url': 'the URL',
  'worker.ca_file': '--ca-file',
  'worker.cog_type': '--cog-type',
  'worker.key.file': '--key-file',
  'worker.key.env': '--key-env',
  queue_concurrency: '--concurrency',
  queue_rate_limit: '--rate',
  only: '--only',
  close: '--close',
  format: '--format',
  keys: '--key',
  cron: '--cron',
  every_s: '--every',
  start_at: '--start-at',
  time_zone: '--time-zone',
  missed: '--missed',
  overlap: '--overlap',
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
  artifact: '--artifact',
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
/** Not what is the name of a parameter, a label or a variable: those are the person's own. */
const anywhere = new RegExp(
  `(?<![\\w."-])(?<!--(?:param|label|env) )(${unmistakable.join('|').replaceAll('.', '\\.')})(?![\\w.-]*\\w)`,
  'g',
)
/** What is valid in place of a value or of a key within one; the arguments of a call are options here. */
const validList = /(?<!unknown argument[^;]*; )(\bvalid: [^;\n]*)/
const tool = new RegExp(
  `\\b(${Object.keys(commands).join('|')})(?: (\\{(?:[^{}]|\\{[^{}]*\\})*\\})| with detail "(full)")?(?: \\(nightkiln [a-z ]+\\))?`,
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
    .replace(/\bgpu: "(never|prefer|require)"/g, '--gpu $1')
    .replace(/\b(Leave|leave) gpu out\b/g, '$1 --gpu out')
    .replace(/\breplace: true\b/g, '--replace')
    .replace(tool, (_, name: string, given: string | undefined, full: string | undefined) =>
      commandText(name, given, full !== undefined, id),
    )
    .replace(/\b(Call|call) (?=nightkiln )/g, (_, word: string) => (word === 'Call' ? 'Run ' : 'run '))
    .replace(/\bthe same idempotency key\b/g, 'the same --key')
    .replace(/\bThe idempotency key\b/g, 'The --key')
    .replace(/\bas long as retry_after_ms says\b/g, 'a moment')
    .replace(/\bleave cursor out\b/g, 'leave --cursor out')
    .replace(/\bparams\.argv\[(\d+)\]/g, 'word $1 of the command')
    .replace(subject, (whole, before: string, path: string) => {
      const option = optionOf(path)
      return option === null ? whole : before + option
    })
    .split(validList)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(anywhere, (name) => options[name] ?? name)))
    .join('')
}

function commandText(name: string, given: string | undefined, full: boolean, id: string): string {
  const call = argumentsOf(given)
  const ids = Array.isArray(call['ids']) ? call['ids'] : [call['id']]
  const named = ids.filter((one): one is string => typeof one === 'string')
  const queue = typeof call['queue'] === 'string' ? call['queue'] : null
  if (queue !== null) return `nightkiln queue ${name === 'update_job' ? 'set' : (commands[name] ?? name)} ${queue}`
  if (call['test_gpu'] === true) return 'nightkiln gpu test'
  const schedule = scheduleCommand(name, call)
  if (schedule !== null) return schedule
  const words = ['nightkiln', call['decision'] === 'reject' ? 'reject' : (commands[name] ?? name)]
  if (full) words.push('--full')
  if (call['mode'] === 'head') words.push('--head 100')
  if (call['mode'] === 'range') words.push('--all')
  if (call['close'] === true) words.push('--close')
  if (typeof call['only'] === 'string') words.push(`--only ${call['only']}`)
  if (typeof call['artifact'] === 'string') words.push(`--artifact ${quoted(call['artifact'])}`)
  if (name.includes('gpu') && typeof call['name'] === 'string') words.push(call['name'])
  if (typeof call['unit'] === 'number') words.push(`--unit ${call['unit']}`)
  if (typeof call['cursor'] === 'string' && name !== 'wait_for_jobs') words.push(`--cursor ${call['cursor']}`)
  if (Array.isArray(call['states'])) words.push(...call['states'].map((state) => `--state ${String(state)}`))
  if (named.length > 0) words.push(...named)
  else if (needsId.has(name) && given === undefined) words.push(id)
  return words.join(' ')
}

/** @returns the command for a call that names a schedule; null for any other */
function scheduleCommand(name: string, call: Readonly<Record<string, unknown>>): string | null {
  if (!name.includes('schedule') || typeof call['name'] !== 'string') return null
  const verb =
    name === 'list_schedules'
      ? 'runs'
      : name === 'remove_schedule'
        ? 'remove'
        : typeof call['enabled'] === 'boolean'
          ? call['enabled']
            ? 'resume'
            : 'pause'
          : 'add'
  return `nightkiln schedule ${verb} ${quoted(call['name'])}`
}

function quoted(word: string): string {
  return /\s/.test(word) ? JSON.stringify(word) : word
}

function argumentsOf(given: string | undefined): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(given ?? '{}') as Record<string, unknown>
  } catch {
    // An example with an ellipsis in it: the id is what matters.
    const id = /"id":"([^"]+)"/.exec(given ?? '')?.[1]
    return id === undefined ? {} : { id }
  }
}

/** @returns what a path of the wire is called on the command line, null when it has no option */
function optionOf(given: string): string | null {
  const path = given.replace(/^overrides\./, '').replace(/\.\d+(\.\w+)?$/, '')
  const known = options[path]
  if (known !== undefined) return known
  const [, group, key] = /^(labels|params\.env|params)\.(.+)$/.exec(path) ?? []
  if (group === undefined || key === undefined) return null
  return group === 'params' ? `--param ${key}` : `${options[group]} ${key}`
}
