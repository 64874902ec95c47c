import type { JobView } from '../../src/domain/wire/shared.ts'

export const someJobId = '01a200a5-580e-7e89-ad89-2a6f000561a2'

/** A running job as the manager answers it. */
export function jobView(changes: Partial<JobView> = {}): JobView {
  return {
    id: someJobId,
    name: 'build',
    type: 'command',
    state: 'running',
    stored_state: 'running',
    why: 'running for 3 s',
    final: false,
    queue: 'default',
    priority: 'normal',
    labels: {},
    progress: null,
    eta: null,
    no_output_s: null,
    attempts: 1,
    execution_mode: 'local',
    error: null,
    rerun_of: null,
    submitted_by: 'cli',
    created_at: '2030-01-01T00:00:00.000Z',
    run_at: null,
    started_at: '2030-01-01T00:00:01.000Z',
    finished_at: null,
    duration_s: null,
    ...changes,
  }
}

export function endedJob(
  state: 'completed' | 'failed' | 'cancelled' | 'completed_with_failures',
  changes: Partial<JobView> = {},
): JobView {
  const stored = state === 'completed_with_failures' ? 'completed' : state
  return jobView({
    state,
    stored_state: stored,
    final: true,
    why: state,
    finished_at: '2030-01-01T00:00:05.000Z',
    duration_s: 4,
    ...changes,
  })
}
