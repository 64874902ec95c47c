type Answer = Readonly<Record<string, unknown>>

const longestArgument = 300

const cut = 'Parts were left out to keep this answer small'

/** @returns one sentence: that an answer was cut, and the call that gets what is missing. */
export function restOf(tool: string, answer: Answer): string {
  return `${cut}: ${callFor(tool, answer)}`
}

function callFor(tool: string, answer: Answer): string {
  const id = textOf(answer['id'])
  const last = idIn(answer['jobs'])
  switch (tool) {
    case 'job_status':
    case 'wait_for_jobs':
      return isList(answer['jobs'], 1)
        ? `job_result ${call({ id: last })} has the whole result, job_logs ${call({ id: last })} the output.`
        : `ask for fewer ids at once, such as job_status ${call({ ids: [last] })}.`
    case 'cancel_job':
    case 'pause_job':
    case 'resume_job':
      return `job_status ${call({ ids: [last] })} shows one.`
    case 'list_jobs':
      return 'repeat the call with a smaller limit, such as list_jobs {"limit":5} and the same filters.'
    case 'whats_new':
      return 'list_jobs {"limit":20} shows jobs one by one.'
    case 'list_units':
      return `ask for fewer units, such as list_units ${call({ id, limit: 3 })}, or job_result ${call({ id, unit: firstUnit(answer) })} for one.`
    case 'job_logs':
      return `job_logs ${call({ id, unit: answer['unit'], mode: 'range', offset: answer['offset'], max_bytes: 2_000 })} reads it in smaller parts.`
    case 'job_result':
      return wholeResult(id)
    case 'list_schedules':
      return `list_schedules ${call({ name: scheduleIn(answer['schedules']), history: 5 })} shows one.`
    case 'list_job_types':
      return `list_job_types ${call({ type: lastText(answer['types'], 'type') })} shows one.`
    case 'queue_status':
      return 'list_jobs {"states":["running"]} shows all that runs.'
    case 'export_jobs':
      return 'the file has all of it.'
    case 'delete_jobs':
      return 'list_jobs {"states":["finished"]} shows what is still there.'
    default:
      return id === null
        ? 'queue_status {} shows how everything is.'
        : `job_status ${call({ ids: [id] })} shows the job.`
  }
}

/** A file has no limit; the rows of an export are whole. */
export function wholeResult(id: unknown): string {
  return `export_jobs ${call({ ids: [id], what: 'units' })} writes the whole result into a file.`
}

function call(input: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null)))
}

/** @returns a text that fits into a sentence */
function textOf(value: unknown): string | null {
  return typeof value === 'string' && value.length <= longestArgument ? value : null
}

function isList(value: unknown, length: number): boolean {
  return Array.isArray(value) && value.length === length
}

function lastText(list: unknown, key: string): string | null {
  const last: unknown = Array.isArray(list) ? list.at(-1) : undefined
  return typeof last === 'object' && last !== null ? textOf(Reflect.get(last, key)) : null
}

/** The last one: lists are cut from their end. */
function idIn(list: unknown): string | null {
  return lastText(list, 'id')
}

function scheduleIn(list: unknown): string | null {
  return lastText(list, 'name')
}

function firstUnit(answer: Answer): number {
  const [first] = Array.isArray(answer['units']) ? (answer['units'] as readonly unknown[]) : []
  const unit: unknown = typeof first === 'object' && first !== null ? Reflect.get(first, 'unit') : 0
  return typeof unit === 'number' ? unit : 0
}
