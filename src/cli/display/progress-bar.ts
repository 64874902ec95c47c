import type { JobView } from '../../domain/wire/shared.ts'
import { formatSeconds } from './quantities.ts'
import { stateColor } from './state-color.ts'
import type { Terminal } from './terminal.ts'
import { fitText, padText } from './text-width.ts'

const nameColumns = 24
const barColumns = 20

/** @returns a bar of `columns` cells, filled to `percent` (0 to 100). */
export function bar(percent: number, columns: number, unicode: boolean): string {
  const share = Math.min(100, Math.max(0, percent)) / 100
  if (!unicode) {
    const filled = Math.floor(share * columns)
    return `[${'#'.repeat(filled)}${'-'.repeat(columns - filled)}]`
  }
  const eighths = Math.floor(share * columns * 8)
  const partial = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? ''
  const full = Math.floor(eighths / 8)
  return '█'.repeat(full) + partial + '░'.repeat(columns - full - (partial === '' ? 0 : 1))
}

/** @returns what is known of the way: "40 %", "12/20", or "" */
export function progressText(progress: JobView['progress']): string {
  if (progress === null) return ''
  if (progress.percent !== null) return `${Math.floor(progress.percent)} %`
  return progress.total === null ? String(progress.current) : `${progress.current}/${progress.total}`
}

function unitsText(job: JobView): string {
  const { counts } = job
  if (counts === undefined || counts.total < 2) return ''
  const ended = counts.completed + counts.failed + counts.cancelled
  return `${ended}/${counts.total} units${counts.failed > 0 ? `, ${counts.failed} failed` : ''}`
}

/** @returns one line about a job that fits the terminal: name, bar, figures, the newest message. */
export function jobProgressLine(job: JobView, terminal: Terminal): string {
  const name = padText(fitText(terminal.harmless(job.name), nameColumns), nameColumns)
  const paint = stateColor(terminal.colors, job.state)
  const percent = job.final && job.stored_state === 'completed' ? 100 : (job.progress?.percent ?? null)
  const drawn = percent === null ? padText('', barColumns) : bar(percent, barColumns, terminal.unicode)
  const eta = job.final || job.eta?.seconds == null ? '' : `${formatSeconds(job.eta.seconds)} left`
  const took = job.final && job.duration_s !== null ? formatSeconds(job.duration_s) : ''
  const message = job.final ? job.why : (job.progress?.message ?? job.why)
  const figures = [
    percent === null ? progressText(job.progress) : `${Math.floor(percent)} %`,
    unitsText(job),
    eta,
    took,
  ]
  const rest = [...figures.filter((text) => text !== ''), terminal.harmless(message)].join('  ')
  const used = nameColumns + barColumns + 2 + 2 + job.state.length + 2 + 1
  return `${name} ${paint(drawn)} ${paint(job.state)}  ${fitText(rest, Math.max(10, terminal.columns - used))}`
}
