import type { QueueStatusAnswer } from '../../domain/wire/jobs.ts'
import type { JobLine } from '../../domain/wire/shared.ts'
import { forCommandLine } from './for-command-line.ts'
import { gpuWorkerLine } from './gpu-workers.ts'
import { bar, barLayout, progressText } from './progress-bar.ts'
import { formatAge, formatBytes, formatSeconds } from './quantities.ts'
import { queueTable } from './queue-table.ts'
import type { Terminal } from './terminal.ts'
import { fitPieces, fitText, padText } from './text-width.ts'

const shownRunning = 15

function runningLine(job: JobLine, terminal: Terminal): string {
  const percent = job.progress?.percent ?? null
  const layout = barLayout(terminal.columns)
  const drawn = percent === null ? padText('', layout.bar) : bar(percent, layout.bar, terminal.unicode)
  const rest = [progressText(job.progress), terminal.harmless(job.progress?.message ?? job.why)]
    .filter((text) => text !== '')
    .join('  ')
  const name = padText(fitText(terminal.harmless(job.name), layout.name), layout.name)
  const room = terminal.stdoutIsTerminal ? terminal.columns - 1 : Number.POSITIVE_INFINITY
  return fitPieces([[`  ${name} `], [drawn, terminal.colors.cyan], [` ${rest}`]], room)
}

/** @returns the whole queue at a glance, as lines for a person. */
export function queueOverview(answer: QueueStatusAnswer, terminal: Terminal, now: number): string[] {
  const { colors } = terminal
  const { manager, slots, threads, jobs, last_24h: day, storage } = answer
  const fit = (text: string) => (terminal.stdoutIsTerminal ? fitText(text, terminal.columns - 1) : text)
  const lines = [
    fit(
      `manager   ${manager.state}, pid ${manager.pid}, version ${manager.version}, up ${formatSeconds(manager.uptime_s)}, ${formatBytes(manager.rss_bytes)}`,
    ),
    fit(`state     ${terminal.harmless(manager.state_directory)}`),
    fit(`slots     ${slots.busy} of ${slots.total} busy`),
    fit(`threads   ${threads.busy} of ${threads.total} busy${hostText(threads.hosts)}`),
    fit(
      `jobs      ${jobs.running} running, ${jobs.queued} queued, ${jobs.completed} completed, ${jobs.failed} failed, ${jobs.cancelled} cancelled`,
    ),
    fit(
      `last 24 h ${day.submitted} submitted, ${day.completed} completed, ${day.failed} failed, ${day.cancelled} cancelled`,
    ),
    fit(
      `storage   ${storage.healthy ? 'healthy' : 'not healthy'}, ${formatBytes(storage.free_bytes)} free${storage.accepting_jobs ? '' : ', takes no new jobs'}`,
    ),
  ]
  const { enabled, next_run_at: nextRun } = answer.schedules
  if (enabled > 0)
    lines.push(fit(`schedules ${enabled} enabled, next run ${nextRun === null ? 'never' : formatAge(nextRun, now)}`))
  const [pruned] = answer.pruned
  if (pruned !== undefined) {
    const what = `${pruned.jobs} jobs, ${formatBytes(pruned.bytes)} by ${terminal.harmless(pruned.rule)}`
    lines.push(fit(`pruned    ${what}, ${formatAge(pruned.at, now)}`))
  }
  for (const worker of answer.gpu_workers) lines.push(fit(`gpu       ${terminal.harmless(gpuWorkerLine(worker, now))}`))
  for (const warning of answer.warnings)
    lines.push(colors.yellow(fit(`warning   ${terminal.harmless(forCommandLine(warning))}`)))
  if (answer.queues.length > 0) lines.push('', ...queueTable(answer.queues, terminal, now).split('\n'))
  if (answer.running.length > 0) {
    lines.push('', ...answer.running.slice(0, shownRunning).map((job) => runningLine(job, terminal)))
    if (answer.running.length > shownRunning) lines.push(`  and ${answer.running.length - shownRunning} more`)
  }
  return lines
}

function hostText(hosts: QueueStatusAnswer['threads']['hosts']): string {
  const known = hosts.filter(({ rss_bytes: bytes }) => bytes !== null)
  if (known.length === 0) return ''
  const texts = known.map(({ pid, rss_bytes: bytes }) => `${formatBytes(bytes ?? 0)} (pid ${pid})`)
  return `, in ${texts.join(' and ')}`
}
