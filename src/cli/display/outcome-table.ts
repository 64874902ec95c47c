import { errorKinds } from '../../domain/errors.ts'
import { stateColor } from './state-color.ts'
import { renderTable } from './table.ts'
import type { Terminal } from './terminal.ts'

/** What became of one job that was asked to do something. */
export interface JobOutcome {
  readonly id: string
  readonly outcome: string
  readonly why: string
}

/** @returns one row a job: what became of it and why. */
export function outcomeTable(jobs: readonly JobOutcome[], terminal: Terminal): string {
  return renderTable<JobOutcome>(
    [
      { title: 'ID', text: (job) => job.id },
      { title: 'OUTCOME', text: (job) => job.outcome, paint: (job) => stateColor(terminal.colors, job.outcome) },
      { title: 'WHY', text: (job) => job.why, shrink: { order: 1, least: 8 }, drop: 1 },
    ],
    jobs,
    terminal,
  )
}

/** @returns the exit code of such an answer: a missing job first, then one that could not do it. */
export function outcomeExitCode(jobs: readonly JobOutcome[]): number {
  const has = (outcome: string) => jobs.some((job) => job.outcome === outcome)
  if (has('not_found')) return errorKinds.job_not_found.exitCode
  return has('already_final') || has('refused') ? errorKinds.invalid_transition.exitCode : 0
}
