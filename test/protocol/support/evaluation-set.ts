/** A tool and its arguments. */
export type Call = readonly [tool: string, input: Readonly<Record<string, unknown>>]

/** What there is on the machine and in the queue when the requests are made. */
export interface World {
  /** A directory with films, rows.csv, urls.txt and a test. */
  readonly work: string
  /** A backup that failed, and its id with one wrong digit. */
  readonly failed: string
  readonly wrong: string
  /** A batch of which some units failed. */
  readonly batch: string
  /** A job that runs for long and reads what is typed. */
  readonly running: string
  /** A batch that takes further units. */
  readonly open: string
  readonly completed: string
  /** Jobs that wait for approval. */
  readonly held: readonly string[]
}

/** One way in which a model may begin. */
export interface Attempt {
  readonly first: Call
  /**
   * Second call of a model that read the answer, where that holds no ready one. Whatever is not in the first call must stand in
   * the answer.
   */
  readonly second?: Call
  /** What a first call that succeeds must say, when it is not what was meant. */
  readonly warns?: RegExp
}

export interface PersonRequest {
  /** What a person says to the model. */
  readonly ask: string
  readonly attempts: readonly Attempt[]
}

/** @returns twenty requests of people, each with first calls of an average model. */
export function evaluationSet({
  work,
  failed,
  wrong,
  batch,
  running,
  open,
  completed,
  held,
}: World): readonly PersonRequest[] {
  const [first = '', second = '', third = ''] = held
  const film = ['ffmpeg', '-i', '{{unit.path}}', '{{unit.stem}}.mp4']
  const report = { params: { argv: ['./report.sh'], cwd: work } }
  return [
    {
      ask: 'Convert all .mov files in my films folder to mp4.',
      attempts: [
        { first: ['submit_job', { params: { argv: film, cwd: work }, source: { kind: 'glob', pattern: '*.mov' } }] },
        { first: ['submit_job', { params: { argv: film, cwd: work }, source: '*.mov' }] },
        { first: ['submit_job', { command: 'ffmpeg -i a.mov a.mp4', cwd: work, title: 'Films' }] },
        { first: ['submit_job', { params: { argv: film, cwd: work }, source: { type: 'glob', pattern: '*.mov' } }] },
        {
          first: ['submit_job', { params: { argv: ['ffmpeg', '-i', '*.mov', 'out.mp4'], cwd: work } }],
          second: ['submit_job', { params: { shell: true, script: 'ffmpeg -i *.mov out.mp4', cwd: work } }],
          warns: /"\*\.mov" is passed to ffmpeg as plain text.*source.*shell: true with script/,
        },
      ],
    },
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
      ask: 'Run the failed ones again, with more memory.',
      attempts: [
        { first: ['rerun_job', { id: batch, only: 'failed', overrides: { params: { env: { MEM: '8g' } } } }] },
        { first: ['rerun_job', { job_id: batch, failed_only: true, env: { MEM: '8g' } }] },
        { first: ['rerun_job', { id: batch, only: 'failed', overrides: { env: { MEM: '8g' } } }] },
        { first: ['rerun_job', { id: batch, params: { env: { MEM: '8g' } }, states: ['failed'] }] },
      ],
    },
    {
      ask: 'Post every row of rows.csv to the service, five a second at most.',
      attempts: [
        {
          first: [
            'submit_job',
            {
              params: { argv: ['curl', '{{unit.name}}'], cwd: work },
              source: { kind: 'csv', path: `${work}/rows.csv` },
              rate_limit: '5/s',
            },
          ],
        },
        {
          first: [
            'submit_job',
            { params: { argv: ['curl', '{{unit.name}}'], cwd: work }, source: { kind: 'csv', file: 'rows.csv' } },
          ],
          second: [
            'submit_job',
            {
              params: { argv: ['curl', '{{unit.name}}'], cwd: work },
              source: { kind: 'csv', file: `${work}/rows.csv` },
            },
          ],
        },
        {
          first: ['submit_job', { params: { argv: ['curl', '{{unit.name}}'], cwd: work }, source: `${work}/rows.csv` }],
        },
        {
          first: [
            'submit_job',
            {
              params: { argv: ['curl', '{{name}}'], cwd: work },
              source: { kind: 'csv', file: `${work}/rows.csv` },
            },
          ],
          second: [
            'submit_job',
            {
              params: { argv: ['curl', '{{unit.name}}'], cwd: work },
              source: { kind: 'csv', file: `${work}/rows.csv` },
            },
          ],
        },
      ],
    },
    {
      ask: 'Make the report every night at six.',
      attempts: [
        { first: ['schedule_job', { name: 'nightly report', cron: '0 0 6 * * *', job: report }] },
        {
          first: [
            'schedule_job',
            { title: 'nightly report', schedule: '0 6 * * *', timezone: 'Europe/Berlin', job: report },
          ],
        },
        {
          first: ['schedule_job', { name: 'nightly report', cron: '6:00', job: report }],
          second: ['schedule_job', { name: 'nightly report', cron: '0 6 * * *', job: report }],
        },
        { first: ['schedule_job', { name: 'nightly report', cron: '0 6 * * *', command: './report.sh', cwd: work }] },
        {
          first: [
            'schedule_job',
            { name: 'nightly report', cron: '0 6 * * *', job: { command: './report.sh', cwd: work } },
          ],
        },
        {
          first: ['submit_job', { ...report, cron: '0 6 * * *' }],
          second: ['schedule_job', { name: 'my schedule', cron: '0 6 * * *', job: report }],
        },
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
      ask: 'Run the render on the GPU machine.',
      attempts: [
        { first: ['submit_job', { params: { argv: ['render'], cwd: work }, gpu: true }] },
        {
          first: ['submit_job', { type: 'render', params: { scene: 'a' }, gpu: 'prefer' }],
          second: ['list_job_types', {}],
        },
        { first: ['queue_status', { test_gpu: 'true' }] },
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
      ask: 'Download everything in urls.txt, four at a time.',
      attempts: [
        {
          first: [
            'submit_job',
            {
              params: { argv: ['curl', '-O', '{{unit}}'], cwd: work },
              source: { kind: 'lines', file: `${work}/urls.txt` },
              parallel: 4,
            },
          ],
        },
        {
          first: [
            'submit_job',
            {
              params: { argv: ['curl', '-O', '{{unit}}'], cwd: work },
              source: { kind: 'file', path: `${work}/urls.txt` },
            },
          ],
        },
        {
          first: [
            'submit_job',
            { params: { argv: ['curl', '-O', '{{unit}}'], cwd: work }, items: ['http://127.0.0.1/a'] },
          ],
        },
      ],
    },
    {
      ask: 'Run the tests again and again tonight and tell me which are flaky.',
      attempts: [
        {
          first: ['submit_job', { params: { argv: 'pytest -x', cwd: work } }],
          second: ['submit_job', { params: { argv: ['pytest', '-x'], cwd: work } }],
        },
        {
          first: ['submit_job', { params: { command: 'pytest', args: ['-x'], cwd: work } }],
          second: ['submit_job', { params: { argv: ['pytest', '-x'], cwd: work } }],
        },
        { first: ['submit_job', { params: 'pytest -x', cwd: work }] },
        {
          first: ['submit_job', { params: { argv: ['pytest', '-x'], cwd: work, name: 'soak' } }],
          second: ['submit_job', { params: { argv: ['pytest', '-x'], cwd: work }, name: 'soak' }],
        },
      ],
    },
    {
      ask: 'Start the training and tell me how long it will take.',
      attempts: [
        { first: ['submit_job', { params: { argv: ['train'], cwd: work }, timeout_s: 86_400_000 }] },
        { first: ['submit_job', { params: { argv: ['train'], cwd: work }, max_retries: 2, description: 'Training' }] },
        { first: ['job_status', { id: running, fields: ['eta'] }] },
      ],
    },
    {
      ask: 'Run make in the project.',
      attempts: [
        {
          first: ['submit_job', { params: { argv: ['make'], cwd: '~/project' } }],
          second: ['submit_job', { params: { argv: ['make'], cwd: '/home/you/project' } }],
        },
        {
          first: ['submit_job', { params: { argv: ['make'], cwd: 'project' } }],
          second: ['submit_job', { params: { argv: ['make'], cwd: '/home/you/project' } }],
        },
        {
          first: ['submit_job', { params: { argv: ['make'] } }],
          second: ['submit_job', { params: { argv: ['make'], cwd: '/home/you/project' } }],
        },
      ],
    },
    {
      ask: 'Count the lines of all logs.',
      attempts: [
        {
          first: ['submit_job', { params: { argv: ['cat', 'rows.csv', '|', 'wc', '-l'], cwd: work } }],
          second: ['submit_job', { params: { shell: true, script: 'cat rows.csv | wc -l', cwd: work } }],
          warns: /"\|" is passed to cat as plain text.*shell: true with script/,
        },
        {
          first: ['submit_job', { params: { script: 'ls -la | wc', cwd: work } }],
          second: ['submit_job', { params: { shell: true, script: 'ls -la | wc', cwd: work } }],
        },
        {
          first: ['submit_job', { params: { shell: 'ls -la | wc', cwd: work } }],
          second: ['submit_job', { params: { shell: true, script: 'ls -la | wc', cwd: work } }],
        },
        { first: ['submit_job', { script: 'ls -la | wc', cwd: work }] },
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
