import type { PersonRequest, World } from './evaluation-set.ts'

/** @returns requests that make jobs and schedules */
export function startingWork({ work, batch, running }: World): readonly PersonRequest[] {
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
  ]
}
