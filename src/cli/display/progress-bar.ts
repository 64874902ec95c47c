import type { JobView } from '../../domain/wire/shared.ts'
import { formatSeconds } from './quantities.ts'
import { stateColor } from './state-color.ts'
import type { Terminal } from './terminal.ts'
import { fitPieces, fitText, padText } from './text-width.ts'

/** @returns columns of the name and of the bar of a line, by the width of the terminal. */
export function barLayout(columns: number): { readonly name: number; readonly bar: number } {
  if (columns >= 90) return { name: 24, bar: 20 }
  return columns >= 70 ? { name: 20, bar: 12 } : { name: 14, bar: 8 }
}

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
  if (progress.total !== null) return `${progress.current}/${progress.total}`
  return progress.current === 0 ? '' : String(progress.current)
}

/** @returns how many units have ended, such as "431/500, 2 failed"; "" for a job of one unit */
export function unitsText({ counts }: Pick<JobView, 'counts'>, noun = ''): string {
  if (counts === undefined || counts.total < 2) return ''
  const ended = counts.completed + counts.failed + counts.cancelled
  return `${ended}/${counts.total}${noun}${counts.failed > 0 ? `, ${counts.failed} failed` : ''}`
}

/** @returns one line about a job that fits the terminal: name, bar, figures, the newest message. */
export function jobProgressLine(job: JobView, terminal: Terminal): string {
  const layout = barLayout(terminal.columns)
  const name = padText(fitText(terminal.harmless(job.name), layout.name), layout.name)
  const paint = stateColor(terminal.colors, job.state)
  const percent = job.final && job.stored_state === 'completed' ? 100 : (job.progress?.percent ?? null)
  const drawn = percent === null ? padText('', layout.bar) : bar(percent, layout.bar, terminal.unicode)
  const eta = job.final || job.eta?.seconds == null ? '' : `${formatSeconds(job.eta.seconds)} left`
  const took = job.final && job.duration_s !== null ? formatSeconds(job.duration_s) : ''
  const message = job.final ? job.why : (job.progress?.message ?? job.why)
  const figures = [
    percent === null ? progressText(job.progress) : `${Math.floor(percent)} %`,
    unitsText(job, ' units'),
    eta,
    took,
  ]
  const rest = [...figures.filter((text) => text !== ''), terminal.harmless(message)].join('  ')
  return fitPieces([[`${name} `], [drawn, paint], [' '], [job.state, paint], [`  ${rest}`]], terminal.columns - 1)
}
