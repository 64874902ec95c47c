import { shapeHint } from './shape-hints.ts'

/** What models and people call arguments and values elsewhere, and how they are called here: for the correction in an error. */

interface Renamed {
  readonly key: string
  readonly value: unknown
}

type Convert = (value: unknown, known: readonly string[]) => unknown

const same: Convert = (value) => value
const asList: Convert = (value) => (Array.isArray(value) ? (value as unknown) : [value])
const fromMilliseconds: Convert = (value) => (Number.isFinite(Number(value)) ? Number(value) / 1000 : value)
/** What cannot be deleted is unfinished, what cannot be stopped is finished. */
const everything: Convert = (_value, known) => ({ states: [known.includes('dry_run') ? 'finished' : 'unfinished'] })
const firstOf: Convert = (value) => (Array.isArray(value) ? (value[0] as unknown) : value)
/** One key for all units: they share the limit. */
const asKeyLimit: Convert = (value) => ({ key: 'all', rate_limit: shapeHint('rate_limit', value) ?? value })
const negated: Convert = (value) => value !== true

/** Each name with what it may be called here, the first that the tool has counts. */
const names: Readonly<Record<string, readonly (readonly [string, Convert])[]>> = {
  status: [
    ['states', asList],
    ['only', firstOf],
  ],
  state: [
    ['states', asList],
    ['only', firstOf],
  ],
  states: [['only', firstOf]],
  statuses: [['states', asList]],
  jobs: [['ids', asList]],
  job: [
    ['id', same],
    ['ids', asList],
  ],
  rate_limit: [['per_key', asKeyLimit]],
  rate: [['per_key', asKeyLimit]],

  since: [['created_after', same]],
  after: [
    ['created_after', same],
    ['depends_on', asList],
  ],
  from: [
    ['created_after', same],
    ['start_at', same],
  ],
  created_since: [['created_after', same]],
  before: [['created_before', same]],
  to: [['created_before', same]],
  query: [
    ['text', same],
    ['grep', same],
  ],
  q: [['text', same]],
  search: [
    ['text', same],
    ['grep', same],
  ],
  name: [['text', same]],
  title: [['name', same]],
  job_name: [
    ['name', same],
    ['text', same],
  ],
  description: [['name', same]],
  count: [['limit', same]],
  max: [['limit', same]],
  max_results: [['limit', same]],
  page_size: [['limit', same]],
  n: [
    ['limit', same],
    ['max_lines', same],
  ],
  next_cursor: [['cursor', same]],
  page: [['cursor', same]],
  timeout: [['timeout_s', same]],
  timeout_seconds: [['timeout_s', same]],
  timeout_sec: [['timeout_s', same]],
  timeout_ms: [['timeout_s', fromMilliseconds]],
  wait_ms: [['timeout_s', fromMilliseconds]],
  max_wait: [['timeout_s', same]],
  lines: [['max_lines', same]],
  tail: [['max_lines', same]],
  tail_lines: [['max_lines', same]],
  last: [
    ['max_lines', same],
    ['limit', same],
  ],
  bytes: [['max_bytes', same]],
  pattern: [
    ['grep', same],
    ['file', same],
  ],
  contains: [
    ['grep', same],
    ['text', same],
  ],
  schedule: [['cron', same]],
  expression: [['cron', same]],
  cron_expression: [['cron', same]],
  crontab: [['cron', same]],
  timezone: [['time_zone', same]],
  tz: [['time_zone', same]],
  interval: [['every_s', same]],
  interval_s: [['every_s', same]],
  every: [['every_s', same]],
  retries: [['max_attempts', (value) => (typeof value === 'number' ? value + 1 : value)]],
  max_retries: [['max_attempts', (value) => (typeof value === 'number' ? value + 1 : value)]],
  attempts: [['max_attempts', same]],
  parallel: [['concurrency', same]],
  parallelism: [['concurrency', same]],
  max_parallel: [['concurrency', same]],
  max_concurrency: [['concurrency', same]],
  items: [['units', asList]],
  inputs: [['units', asList]],
  dependencies: [['depends_on', asList]],
  start_time: [
    ['run_at', same],
    ['start_at', same],
  ],
  job_type: [['type', same]],
  tags: [['labels', same]],
  failed_only: [['only', () => 'failed']],
  only_failed: [['only', () => 'failed']],
  all: [['filter', everything]],
  enable: [['enabled', same]],
  disabled: [['enabled', negated]],
  approve: [['decision', (value) => (value === false ? 'reject' : 'approve')]],
  approved: [['decision', (value) => (value === false ? 'reject' : 'approve')]],
  reject: [['decision', (value) => (value === false ? 'approve' : 'reject')]],
  action: [['decision', same]],
  answer: [
    ['decision', same],
    ['text', same],
  ],
  input: [
    ['text', same],
    ['units', asList],
  ],
  message: [['text', same]],
  output: [['file', same]],
  path: [
    ['file', same],
    ['pattern', same],
  ],
  glob: [['pattern', same]],
  filename: [['file', same]],
  file: [['pattern', same]],
}

/**
 * @param known keys that are valid where the wrong one stands
 * @returns how the key is called here, with its value in the form that is wanted here; null when that is not clear
 */
export function knownName(key: string, value: unknown, known: readonly string[]): Renamed | null {
  const candidates = Object.hasOwn(names, key) ? (names[key] ?? []) : []
  const found = candidates.find(([name]) => known.includes(name))
  return found === undefined ? null : { key: found[0], value: found[1](value, known) }
}

const values: Readonly<Record<string, readonly string[]>> = {
  done: ['completed', 'all_ended', 'finished'],
  success: ['completed'],
  succeeded: ['completed'],
  complete: ['completed'],
  error: ['failed'],
  errored: ['failed'],
  failure: ['failed'],
  pending: ['queued'],
  waiting: ['queued'],
  active: ['unfinished', 'running'],
  in_progress: ['running'],
  canceled: ['cancelled'],
  finished: ['all_ended'],
  ended: ['finished', 'all_ended'],
  all: ['all_ended', 'not_completed'],
  any: ['any_ended'],
  approved: ['approve'],
  yes: ['approve'],
  ok: ['approve'],
  accept: ['approve'],
  rejected: ['reject'],
  no: ['reject', 'never'],
  deny: ['reject'],
  true: ['prefer'],
  false: ['never'],
  required: ['require'],
  only: ['require'],
  preferred: ['prefer'],
  auto: ['prefer'],
  full: ['full'],
  verbose: ['full'],
  detailed: ['full'],
  short: ['concise'],
  summary: ['concise'],
  results: ['units'],
  xlsx: ['csv'],
  excel: ['csv'],
  tsv: ['csv'],
  jsonl: ['json'],
  ndjson: ['json'],
  md: ['markdown'],
  last: ['tail'],
  end: ['tail'],
  first: ['head'],
  start: ['head'],
  error_lines: ['errors'],
  files: ['glob'],
  file: ['lines'],
  txt: ['lines'],
  text: ['lines'],
}

/** @returns the valid value that was plainly meant; undefined when that is not clear */
export function knownValue(value: unknown, valid: readonly unknown[]): unknown {
  const word = String(value).trim().toLowerCase()
  if (valid.includes(word)) return word
  const candidates = Object.hasOwn(values, word) ? (values[word] ?? []) : []
  return candidates.find((candidate) => valid.includes(candidate))
}

/** @returns a day or a time without a zone as an instant, in UTC; undefined for anything else */
export function knownInstant(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const [, day, time = '00:00:00'] = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?$/.exec(value.trim()) ?? []
  if (day === undefined) return undefined
  const instant = `${day}T${time.length === 5 ? `${time}:00` : time}Z`
  return Number.isNaN(Date.parse(instant)) ? undefined : instant
}
