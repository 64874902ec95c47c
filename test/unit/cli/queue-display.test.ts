import { describe, expect, it } from 'vitest'
import { jobDetail } from '../../../src/cli/display/job-detail.ts'
import { jobTable } from '../../../src/cli/display/job-table.ts'
import { outcomeExitCode } from '../../../src/cli/display/outcome-table.ts'
import { queueOverview } from '../../../src/cli/display/queue-overview.ts'
import { queueLine, queueTable } from '../../../src/cli/display/queue-table.ts'
import { textWidth } from '../../../src/cli/display/text-width.ts'
import { unitLines } from '../../../src/cli/display/unit-table.ts'
import type { QueueStatusAnswer } from '../../../src/domain/wire/jobs.ts'
import type { QueueView } from '../../../src/domain/wire/shared.ts'
import type { ListUnitsAnswer } from '../../../src/domain/wire/units.ts'
import { endedJob, jobView, someJobId } from '../../support/job-view.ts'
import { fakeTerminal } from './fake-terminal.ts'

const now = Date.parse('2030-01-01T00:01:00Z')
const evil = 'x\u001b[2Jy\u0007\u202ez\r\nq'
const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/
const counts = { total: 500, available: 60, running: 9, completed: 424, failed: 5, cancelled: 2 }

function detail(...given: Parameters<typeof jobView>): string {
  return jobDetail(jobView(...given), fakeTerminal().terminal, now).join('\n')
}

describe('a job with units', () => {
  it('shows how many have ended and how many failed', () => {
    expect(jobTable([jobView({ counts })], fakeTerminal().terminal, now)).toContain('431/500, 5 failed')
    const text = detail({ counts, units_waiting: 100, open: true })
    expect(text).toContain('431/500 ended: 424 completed, 5 failed, 2 cancelled; 9 running, 60 waiting')
    expect(text).toContain('100 still to be added; open: more may be added')
  })

  it('shows what it waits for, its silence and the range of its estimate', () => {
    const text = detail({
      depends_on: [
        { id: someJobId, as: 'fit', condition: 'ended', state: null },
        { id: someJobId, as: someJobId, condition: 'completed', state: 'completed' },
      ],
      no_output_s: 180,
      eta: { seconds: 120, low_seconds: 60, high_seconds: 180, reason: null },
    })
    expect(text).toContain(`fit = ${someJobId}: until it has ended in any way`)
    expect(text).toContain(`  ${someJobId}: completed`)
    expect(text).toMatch(/silent\s+no output for 3 m/)
    expect(text).toMatch(/left\s+2 m \(1 m to 3 m\)/)
  })

  it('shows what differs from the job that it runs again', () => {
    expect(detail({ changes: [{ path: 'timeout_s', before: null, after: 60 }] })).toContain('timeout_s: null → 60')
  })

  it('held for approval shows results, cost and time left, and how to decide', () => {
    const review = {
      units_run: 3,
      completed: 2,
      failed: 1,
      units_waiting: 497,
      unit_seconds: 2,
      rest_seconds: 600,
      cost: 0.30000000000000004,
      rest_cost: 49.7,
      results: [{ unit: 0, state: 'completed' as const, result: { text: evil } }],
    }
    const text = detail({ state: 'awaiting_approval', review })
    expect(text).toContain('3 test units ran: 2 completed, 1 failed, 2 s each, cost 0.3')
    expect(text).toContain('497 units, about 10 m, cost about 49.7')
    expect(text).toContain(`nightkiln approve ${someJobId}   or   nightkiln reject ${someJobId}`)
    expect(text).not.toMatch(control)
  })
})

const answer: ListUnitsAnswer = {
  id: someJobId,
  units: [
    {
      unit: 7,
      final_step: false,
      state: 'failed',
      why: 'failed',
      key: evil,
      progress: null,
      untrusted_input: evil,
      attempts: 3,
      mode: null,
      failures: 3,
      exit_code: 9,
      duration_s: 1.5,
      error: { code: 'command_failed', message: `exit code 9 ${evil}`, remedy: 'look' },
    },
    {
      unit: 500,
      final_step: true,
      state: 'available',
      why: 'waits for the other units',
      key: null,
      progress: null,
      untrusted_input: 'null',
      attempts: 0,
      mode: null,
      failures: 0,
      exit_code: null,
      duration_s: null,
      error: null,
    },
  ],
  counts,
  failure_groups: [{ signature: evil, count: 5, units: [7, 9] }],
  has_more: false,
  next_cursor: null,
  next: 'next',
}

describe('the units of a job', () => {
  it('are a table with counts and groups of failures, all of it harmless', () => {
    const text = unitLines(answer, fakeTerminal().terminal).join('\n')
    expect(text).toContain('500 units: 424 completed, 5 failed')
    expect(text).toContain('exit code 9')
    expect(text).toMatch(/final\s+available/)
    expect(text).toContain('5 × ')
    expect(text).toContain('units 7, 9 …')
    expect(text).not.toMatch(control)
  })

  it.each([60, 80, 120])('fit a terminal of %d columns', (columns) => {
    const lines = unitLines({ ...answer, failure_groups: [] }, fakeTerminal({ isTTY: true, columns }).terminal)
    expect(Math.max(...lines.map(textWidth))).toBeLessThan(columns + (lines[0]?.length ?? 0))
    expect(Math.max(...lines.slice(2).map(textWidth))).toBeLessThan(columns)
  })
})

const queue: QueueView = {
  name: 'web',
  paused: false,
  concurrency: 2,
  rate_limit: { count: 10, interval_s: 60 },
  held_until: '2030-01-01T00:01:30Z',
  running: 1,
}

describe('queues', () => {
  it('show state and limits', () => {
    const { terminal } = fakeTerminal()
    expect(queueLine(queue, terminal, now)).toBe(
      'queue web  rate limited, goes on in 30 s  1 running, 2 at once, 10 in 1 m',
    )
    const free = { ...queue, paused: true, concurrency: null, rate_limit: null }
    expect(queueLine(free, terminal, now)).toBe('queue web  paused  1 running, no limit')
    expect(queueTable([queue, { ...free, paused: false, held_until: null }], terminal, now)).toMatch(
      /web\s+open\s+1\s+any\s+none/,
    )
  })

  it('stand in the overview, with schedules and what was pruned', () => {
    const status: QueueStatusAnswer = {
      manager: {
        version: '1.0.0',
        pid: 1,
        epoch: 1,
        started_at: '2030-01-01T00:00:00Z',
        uptime_s: 60,
        state_directory: '/state',
        state: 'leading',
        rss_bytes: 1,
      },
      slots: { total: 2, busy: 1 },
      threads: { total: 2, busy: 0, hosts: [] },
      gpu_workers: [],
      queues: [queue],
      schedules: { enabled: 2, next_run_at: '2030-01-01T02:01:00Z' },
      pruned: [{ at: '2030-01-01T00:00:00Z', jobs: 12, bytes: 2048, rule: 'age' }],
      jobs: { queued: 0, running: 1, completed: 0, failed: 0, cancelled: 0 },
      last_24h: { submitted: 1, completed: 0, failed: 0, cancelled: 0 },
      running: [jobView({ counts })],
      storage: { healthy: true, free_bytes: 1, floor_bytes: 1, accepting_jobs: true },
      warnings: [],
      next: 'next',
    }
    const text = queueOverview(status, fakeTerminal().terminal, now).join('\n')
    expect(text).toContain('schedules 2 enabled, next run in 2 h')
    expect(text).toContain('pruned    12 jobs, 2 KiB by age, 60 s ago'.replace('60 s', '1 min'))
    expect(text).toMatch(/web\s+rate limited/)
  })
})

it.each([
  [['paused', 'pausing', 'frozen', 'resumed', 'unchanged'], 0],
  [['paused', 'already_final'], 4],
  [['refused'], 4],
  [['already_final', 'not_found'], 3],
])('outcomes %j end with %d', (outcomes, code) => {
  const jobs = outcomes.map((outcome) => ({ id: someJobId, outcome, why: '' }))
  expect(outcomeExitCode(jobs)).toBe(code)
})

it('a job of one unit shows its progress, not its unit', () => {
  const one = { total: 1, available: 0, running: 0, completed: 1, failed: 0, cancelled: 0 }
  expect(jobTable([endedJob('completed', { counts: one })], fakeTerminal().terminal, now)).not.toContain('1/1')
})
