import type { PersonRequest, World } from './evaluation-set.ts'

/** @returns requests about work that was begun before */
export function lookingAfterWork(world: World): readonly PersonRequest[] {
  const { work, failed, wrong, batch, running, open, completed, held } = world
  const [first = '', second = '', third = ''] = held
  return [
    {
      ask: 'How did last night go?',
      attempts: [
        { first: ['whats_new', {}] },
        { first: ['whats_new', { since: 'yesterday' }] },
        { first: ['list_jobs', { status: 'done' }] },
        { first: ['list_jobs', { states: ['done', 'error'], limit: 500 }] },
      ],
    },
    {
      ask: 'Stop everything that is in the queue for tonight.',
      attempts: [
        {
          first: ['cancel_job', {}],
          second: ['cancel_job', { filter: { states: ['unfinished'], labels: { batch: '7' } } }],
        },
        { first: ['pause_job', { all: true }] },
        { first: ['resume_job', { filter: {} }] },
        { first: ['pause_job', { queue: 'default' }] },
        { first: ['resume_job', { queue: 'default' }] },
      ],
    },
    {
      ask: 'Wait until it is done and tell me what came out.',
      attempts: [
        { first: ['wait_for_jobs', { job_id: completed, timeout_s: 300_000 }] },
        { first: ['wait_for_jobs', { ids: completed, timeout: 30 }] },
        { first: ['wait_for_jobs', { ids: [completed], timeout_ms: 30_000, until: 'done' }] },
        { first: ['job_result', { ids: [completed] }] },
      ],
    },
    {
      ask: 'Why did the backup fail?',
      attempts: [
        { first: ['job_logs', { job_id: failed }] },
        { first: ['job_logs', { id: failed, tail: 50 }] },
        { first: ['job_logs', { id: failed, mode: 'last', lines: '50' }] },
        { first: ['job_logs', { id: failed, search: 'rror' }] },
        { first: ['job_status', { ids: `["${failed}"]`, detail: 'verbose' }] },
      ],
    },
    {
      ask: 'The three samples look good, go on with the rest.',
      attempts: [
        { first: ['decide_job', { id: first, decision: 'approved' }] },
        { first: ['decide_job', { job_id: second, approve: true }] },
        { first: ['decide_job', { ids: [third] }] },
      ],
    },
    {
      ask: 'Find the backup of last week.',
      attempts: [
        { first: ['list_jobs', { text: 'backup', created_after: '2026-01-05' }] },
        { first: ['list_jobs', { query: 'backup', since: '2026-01-05T00:00:00' }] },
        { first: ['list_jobs', { name: 'backup', limit: '5' }] },
        {
          first: ['list_jobs', { text: 'backup', created_after: 'last week' }],
          second: ['list_jobs', { text: 'backup', created_after: '2031-05-04T22:00:00Z' }],
        },
      ],
    },
    {
      ask: 'How is that job doing?',
      attempts: [
        { first: ['job_status', { id: wrong }], second: ['list_jobs', { limit: 20 }] },
        { first: ['job_status', { id: 'the backup' }], second: ['list_jobs', { text: 'the backup' }] },
        { first: ['job_status', { jobs: [running] }] },
        { first: ['job_status', {}], second: ['whats_new', {}] },
      ],
    },
    {
      ask: 'Delete what is finished, we do not need it.',
      attempts: [
        { first: ['delete_jobs', { all: true, dry_run: true }] },
        { first: ['delete_jobs', { status: 'completed', dry_run: 'true' }] },
        { first: ['delete_jobs', {}] },
        { first: ['delete_jobs', { filter: { state: 'failed', before: '2026-01-05' }, dry_run: true }] },
      ],
    },
    {
      ask: 'Give me a table of all results.',
      attempts: [
        { first: ['export_jobs', { id: batch, what: 'units', format: 'xlsx' }] },
        {
          first: ['export_jobs', { id: batch, what: 'results', output: `${work}/table.csv`, format: 'csv' }],
          second: ['export_jobs', { id: batch, what: 'units', file: `${work}/table.csv`, format: 'csv' }],
        },
        { first: ['export_jobs', { id: batch, file: 'table.csv' }], second: ['export_jobs', { id: batch }] },
        { first: ['list_units', { id: batch, status: 'error' }] },
      ],
    },
    {
      ask: 'Give it a higher priority, and answer yes to its question.',
      attempts: [
        { first: ['update_job', { ids: [running], priority: 'urgent' }] },
        {
          first: ['update_job', { id: running, priority: 10 }],
          second: ['update_job', { id: running, priority: 'urgent' }],
        },
        { first: ['send_input', { id: running, input: 'yes' }] },
        { first: ['add_units', { id: open, items: ['a'] }] },
      ],
    },
  ]
}
