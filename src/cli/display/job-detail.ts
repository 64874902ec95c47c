import type { AttemptView, ErrorView, JobView } from '../../domain/wire/shared.ts'
import { forCommandLine } from './for-command-line.ts'
import { indentedLines } from './indented-lines.ts'
import { progressText } from './progress-bar.ts'
import { formatAge, formatSeconds, formatTime } from './quantities.ts'
import { reviewLines } from './review.ts'
import { stateColor } from './state-color.ts'
import { renderTable } from './table.ts'
import type { Terminal } from './terminal.ts'

const attemptIndent = '  '

/** @param why what was already told of the job: a message that is in it is not told twice */
function errorLines(error: ErrorView, why: string, id: string, terminal: Terminal): string[] {
  const told = why.includes(error.message)
  const lines = [
    told
      ? `  ${terminal.colors.red(error.code)}`
      : `  ${terminal.colors.red(`${error.code}:`)} ${terminal.harmless(error.message)}`,
  ]
  if (error.untrusted_output_tail !== undefined && error.untrusted_output_tail !== '') {
    lines.push('  last output:', ...indentedLines(error.untrusted_output_tail, terminal, '    | '))
  }
  lines.push(`  ${terminal.colors.dim(terminal.harmless(forCommandLine(error.remedy, id)))}`)
  return lines
}

function modeText({ mode, device }: AttemptView): string {
  return device === null ? mode : `${mode}: ${device}`
}

/** @returns attempts as a table, indented. */
export function attemptTable(attempts: readonly AttemptView[], terminal: Terminal): string[] {
  return renderTable<AttemptView>(
    [
      { title: 'UNIT', text: (attempt) => String(attempt.unit), align: 'right' },
      { title: 'ATTEMPT', text: (attempt) => String(attempt.attempt), align: 'right' },
      {
        title: 'OUTCOME',
        text: (attempt) => attempt.outcome,
        paint: (attempt) => stateColor(terminal.colors, attempt.outcome),
      },
      { title: 'MODE', text: modeText, drop: 2 },
      {
        title: 'EXIT',
        text: (attempt) => (attempt.exit_code === null ? '' : String(attempt.exit_code)),
        align: 'right',
      },
      { title: 'STARTED', text: (attempt) => formatTime(attempt.started_at), drop: 3 },
      {
        title: 'ERROR',
        text: (attempt) => attempt.error?.message ?? attempt.fallback_reason ?? '',
        shrink: { order: 1, least: 8 },
        drop: 1,
      },
    ],
    attempts,
    terminal,
    attemptIndent.length,
  )
    .split('\n')
    .map((line) => `${attemptIndent}${line}`)
}

/** @returns counts of units, what its sources will still add, whether it is open; null for a plain job */
function unitsOfJob(job: JobView): string | null {
  const parts: string[] = []
  if (job.counts !== undefined) {
    const { total, completed, running, available, failed, cancelled } = job.counts
    const ended = completed + failed + cancelled
    parts.push(
      `${ended}/${total} ended: ${completed} completed, ${failed} failed, ${cancelled} cancelled; ${running} running, ${available} waiting`,
    )
  }
  if (job.units_waiting !== undefined && job.units_waiting > 0) parts.push(`${job.units_waiting} still to be added`)
  if (job.open === true) parts.push('open: more may be added')
  return parts.length === 0 ? null : parts.join('; ')
}

/** @returns how the units of a job that asks for a GPU ran; before any did, what it asks for */
function gpuLines({ preference, fallback, wait_s: wait, modes }: NonNullable<JobView['gpu']>): string[] {
  if (modes.length === 0) {
    const end = preference === 'require' || fallback === 'never' ? 'then it fails' : 'then it falls back'
    return [`${preference}: waits up to ${formatSeconds(wait)} for a place, ${end}`]
  }
  return modes.map(({ mode, device, worker, units, running, fallback_reason: reason }) => {
    // A unit that no worker took ends as one that was offered to none.
    const isUntaken = mode === 'remote' && worker === null
    const known = [mode, device ?? '', worker === null ? '' : `at ${worker}`].filter((part) => part !== '').join(', ')
    const place = isUntaken ? 'no worker took it' : known
    const now = running === 0 ? '' : `, ${running} running`
    const many = units === 1 ? '' : `: ${units} units${now}`
    return `${place}${many}${reason === null ? '' : `; fell back: ${reason}`}`
  })
}

/** @returns everything known of a job, as lines for a person. */
export function jobDetail(job: JobView, terminal: Terminal, now: number): string[] {
  const { colors } = terminal
  const lines = [
    `${colors.bold(terminal.harmless(job.name))}  ${stateColor(colors, job.state)(job.state)}`,
    `  ${terminal.harmless(job.why)}`,
  ]
  const field = (name: string, value: string | null | undefined): void => {
    if (value !== null && value !== undefined && value !== '')
      lines.push(`  ${colors.dim(name.padEnd(11))} ${terminal.harmless(value)}`)
  }
  const when = (time: string | null) => (time === null ? null : `${formatTime(time)} (${formatAge(time, now)})`)
  field('id', job.id)
  field('type', job.type)
  field('queue', `${job.queue}, priority ${job.priority}`)
  field(
    'labels',
    Object.entries(job.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  )
  if (job.progress !== null && job.stored_state !== 'completed') {
    const { stage, message } = job.progress
    field(
      'progress',
      [progressText(job.progress), stage, message].filter((part) => part !== null && part !== '').join('  '),
    )
  }
  field('units', unitsOfJob(job))
  for (const { id, as, condition, state } of job.depends_on ?? []) {
    const until = condition === 'ended' ? 'ended in any way' : 'completed'
    field('waits for', `${as === id ? '' : `${as} = `}${id}: ${state ?? `until it has ${until}`}`)
  }
  if (!job.final && job.eta !== null) {
    const { seconds, low_seconds: low, high_seconds: high, reason } = job.eta
    const range = low === null || high === null ? '' : ` (${formatSeconds(low)} to ${formatSeconds(high)})`
    field('left', seconds === null ? reason : `${formatSeconds(seconds)}${range}`)
  }
  if (job.no_output_s !== null) field('silent', `no output for ${formatSeconds(job.no_output_s)}`)
  if (job.attempts !== null) field('attempts', String(job.attempts))
  if (job.gpu === undefined) field('mode', job.execution_mode)
  else for (const line of gpuLines(job.gpu)) field('gpu', line)
  field('submitted', `${when(job.created_at)} by ${job.submitted_by}`)
  field('not before', when(job.run_at))
  field('started', when(job.started_at))
  field('ended', when(job.finished_at))
  field('took', job.duration_s === null ? null : formatSeconds(job.duration_s))
  field('rerun of', job.rerun_of)
  field('run again', job.reruns?.join(' '))
  if (job.params !== undefined) field('params', JSON.stringify(job.params))
  if (job.limits !== undefined) field('limits', JSON.stringify(job.limits))
  for (const { path, before, after } of job.changes ?? [])
    field('changed', `${path}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`)
  if (job.review !== undefined) lines.push(...reviewLines(job.id, job.review, terminal))
  if (job.error !== null) lines.push(...errorLines(job.error, job.why, job.id, terminal))
  if (job.final && job.counts !== undefined && job.counts.total > 1 && job.counts.failed > 0)
    lines.push(
      `  ${colors.dim(`nightkiln units --state failed ${job.id}   or   nightkiln rerun --only failed ${job.id}`)}`,
    )
  if (job.attempt_history !== undefined && job.attempt_history.length > 0)
    lines.push(...attemptTable(job.attempt_history, terminal))
  if (job.result !== undefined && job.result !== null) {
    lines.push(`  ${colors.dim('result')}`, ...indentedLines(JSON.stringify(job.result, null, 2), terminal, '    '))
  }
  return lines
}
