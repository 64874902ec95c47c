import type { JobLine } from '../../domain/wire/shared.ts'
import { progressText, unitsText } from './progress-bar.ts'
import { formatAge, formatSeconds } from './quantities.ts'
import { stateColor } from './state-color.ts'
import { renderTable } from './table.ts'
import type { Terminal } from './terminal.ts'

const wideEnoughForIds = 140
const shortIdLength = 8

/** @returns the end of an id; every command also takes this short form. */
export function shortId(id: string): string {
  return id.slice(-shortIdLength)
}

/** @returns jobs as a table: whole ids in pipes and wide terminals, their ends in narrow ones. */
export function jobTable(jobs: readonly JobLine[], terminal: Terminal, now: number): string {
  const whole = !terminal.stdoutIsTerminal || terminal.columns >= wideEnoughForIds
  return renderTable<JobLine>(
    [
      { title: 'ID', text: (job) => (whole ? job.id : shortId(job.id)) },
      { title: 'NAME', text: (job) => job.name, most: 32, shrink: { order: 2, least: 12 } },
      { title: 'STATE', text: (job) => job.state, paint: (job) => stateColor(terminal.colors, job.state) },
      { title: 'DONE', text: (job) => unitsText(job) || progressText(job.progress), align: 'right', drop: 4 },
      { title: 'SUBMITTED', text: (job) => formatAge(job.created_at, now), align: 'right', drop: 3 },
      {
        title: 'TOOK',
        text: (job) => (job.duration_s === null ? '' : formatSeconds(job.duration_s)),
        align: 'right',
        drop: 2,
      },
      { title: 'WHY', text: (job) => job.why, shrink: { order: 1, least: 8 }, drop: 1 },
    ],
    jobs,
    terminal,
  )
}
