import type { ListAnswer, LogsAnswer, ResultAnswer } from '../../../../src/domain/wire/jobs.ts'
import { jobView } from '../../../support/job-view.ts'

export const id = '01890a5d-ac96-774b-bcce-b302099a8057'
export const otherId = '01890a5d-ac96-774b-bcce-b302099a8058'

export function logs(changes: Partial<LogsAnswer> = {}): LogsAnswer {
  return {
    id,
    unit: 0,
    attempt: 1,
    untrusted_output: 'one\ntwo\n',
    offset: 0,
    next_offset: 8,
    total_bytes: 8,
    dropped_bytes: 0,
    truncated: false,
    running: false,
    next: 'That is all of it.',
    ...changes,
  }
}

export function result(changes: Partial<ResultAnswer> = {}): ResultAnswer {
  return {
    id,
    state: 'completed',
    final: true,
    result: { exit_code: 0 },
    result_bytes: 15,
    truncated: false,
    artifacts: [],
    more_artifacts: false,
    next: 'That is all of it.',
    ...changes,
  }
}

export function artifact(name: string, changes: Partial<ResultAnswer['artifacts'][number]> = {}) {
  return {
    name,
    unit: 0,
    media_type: 'text/plain',
    bytes: 5,
    sha256: 'a'.repeat(64),
    path: `/state/attempts/a.1.n/artifacts/${name}`,
    ...changes,
  }
}

type Line = ListAnswer['jobs'][number]

export function line(changes: Partial<Line> = {}): Line {
  const { name, type, state, why, progress, created_at, finished_at, duration_s } = jobView()
  return { id, name, type, state, why, progress, created_at, finished_at, duration_s, ...changes }
}

export function list(jobs: readonly Line[], hasMore = false): ListAnswer {
  return { jobs: [...jobs], has_more: hasMore, next_cursor: hasMore ? 'more' : null, next: 'job_status shows one.' }
}

/** @returns the id of the n-th job; later ones are newer. */
export function nthId(n: number): string {
  return `01890a5d-ac96-774b-bcce-${n.toString(16).padStart(12, '0')}`
}
