import type { JobLine, JobView } from '../../../src/domain/wire/shared.ts'

/** @param number orders jobs by age: a larger one is newer */
export function jobLine(number: number, more: Partial<JobLine> = {}): JobLine {
  return {
    id: `job-${number}`,
    name: `name ${number}`,
    type: 'command',
    state: 'completed',
    why: 'completed in 1 s',
    progress: null,
    created_at: new Date(Date.UTC(2031, 4, 4) + number * 1000).toISOString(),
    finished_at: null,
    duration_s: 1,
    ...more,
  }
}

export function jobView(number: number, more: Partial<JobView> = {}): JobView {
  const { id, name, type, state, why, progress, created_at, finished_at, duration_s } = jobLine(number)
  return {
    ...{ id, name, type, state, why, progress, created_at, finished_at, duration_s },
    stored_state: 'completed',
    final: true,
    queue: 'default',
    priority: 'normal',
    labels: {},
    eta: null,
    no_output_s: null,
    attempts: 1,
    execution_mode: 'local',
    error: null,
    rerun_of: null,
    submitted_by: 'somebody',
    run_at: null,
    started_at: null,
    ...more,
  }
}

export function review(more: Partial<NonNullable<JobView['review']>> = {}): NonNullable<JobView['review']> {
  return {
    units_run: 4,
    completed: 3,
    failed: 1,
    units_waiting: 96,
    unit_seconds: 2,
    rest_seconds: 192,
    cost: 0.12,
    rest_cost: 2.88,
    results: [],
    ...more,
  }
}
