import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectStdio, type McpStdioClient } from '../support/mcp-stdio-client.ts'
import { type TemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'

interface Submitted {
  readonly id: string
  readonly job: { readonly state: string; readonly rerun_of: string | null }
}

interface Status {
  readonly jobs: readonly {
    readonly state: string
    readonly final: boolean
    readonly counts?: Record<string, number>
    readonly review?: Record<string, unknown>
  }[]
}

async function connect(home: TemporaryHome): Promise<McpStdioClient> {
  const client = await connectStdio({ environment: home.environment, ledger: home.ledger })
  onTestFinished(() => client.close())
  return client
}

async function untilState(client: McpStdioClient, id: string, state: string) {
  return waitUntil(
    async () => {
      const [job] = (await client.callOk<Status>('job_status', { id })).jobs
      return job?.state === state ? job : null
    },
    { timeoutMs: 20_000, what: `state ${state}` },
  )
}

const untilGo = 'while [ ! -e go ]; do sleep 0.05; done'

describe('a batch', () => {
  test('runs test units, waits for approval, and reruns what failed', async () => {
    const home = useTemporaryHome()
    const client = await connect(home)
    const { id } = await client.callOk<Submitted>('submit_job', {
      params: { argv: ['sh', '-c', 'test "$1" != bad', 'x', '{{unit.name}}'], cwd: home.home },
      units: [{ name: 'a' }, { name: 'b' }, { name: 'bad' }, { name: 'c' }],
      test_first: 2,
      max_failed_units: 1,
    })
    const held = await untilState(client, id, 'awaiting_approval')
    expect(held.review).toMatchObject({ units_run: 2, completed: 2, units_waiting: 2 })
    expect(await client.callOk('whats_new')).toMatchObject({ needs_you: [{ id }], counts: { needs_you: 1 } })
    const decided = await client.callOk<Submitted>('decide_job', { id, decision: 'approve' })
    expect(decided.job).toMatchObject({ id })
    const done = await client.callOk<Status>('wait_for_jobs', { id, timeout_s: 20 })
    expect(done.jobs[0]).toMatchObject({ state: 'completed_with_failures', counts: { completed: 3, failed: 1 } })
    const units = await client.callOk<{ units: object[] }>('list_units', { id, states: ['failed'], detail: 'full' })
    expect(units.units).toMatchObject([{ unit: 2, state: 'failed', attempt_history: [{ attempt: 1, exit_code: 1 }] }])
    const again = await client.callOk<Submitted>('rerun_job', { id, only: 'failed' })
    expect(again.job.rerun_of).toBe(id)
    await client.callOk('wait_for_jobs', { id: again.id, timeout_s: 20 })
    expect(await client.callOk('list_units', { id: again.id })).toMatchObject({ counts: { total: 1, failed: 1 } })
    const late = await client.call('decide_job', { id, decision: 'approve' })
    expect(late.isError).toBe(true)
    expect(late.text).toMatch(/^invalid_transition: /)
  })

  test('grows while it is open and answers once it is closed', async () => {
    const home = useTemporaryHome()
    const client = await connect(home)
    const { id } = await client.callOk<Submitted>('submit_job', {
      type: 'noop',
      params: {},
      source: { kind: 'range', from: 1, to: 10 },
      unit_key: '{{unit}}',
      keep_open: true,
    })
    await waitUntil(async () => {
      const [job] = (await client.callOk<Status>('job_status', { id })).jobs
      return job?.counts?.['completed'] === 10
    })
    expect(await client.callOk('add_units', { id, units: [10, 11], close: true })).toMatchObject({ given: 2 })
    const done = await client.callOk<Status>('wait_for_jobs', { id, timeout_s: 20 })
    expect(done.jobs[0]).toMatchObject({ state: 'completed', counts: { total: 11, completed: 11 } })
    expect((await client.call('add_units', { id, units: [12] })).text).toMatch(/^invalid_transition: /)
  })
})

describe('control', () => {
  test('pause, resume, update and limits of a queue', async () => {
    const home = useTemporaryHome()
    const client = await connect(home)
    expect(await client.callOk('update_job', { queue: 'night', queue_concurrency: 1 })).toMatchObject({
      queue: { name: 'night', concurrency: 1 },
    })
    expect(await client.callOk('pause_job', { queue: 'night' })).toMatchObject({ queue: { paused: true } })
    const params = { shell: true, script: 'echo ran > ran', cwd: home.home }
    const { id } = await client.callOk<Submitted>('submit_job', { params, queue: 'night' })
    await untilState(client, id, 'paused')
    expect(await client.callOk('update_job', { id, priority: 'urgent', labels: { night: '1' } })).toMatchObject({
      job: { priority: 'urgent', labels: { night: '1' } },
    })
    expect(await client.callOk('pause_job', { id })).toMatchObject({ jobs: [{ id, outcome: 'paused' }] })
    expect(await client.callOk('pause_job', { id })).toMatchObject({ jobs: [{ id, outcome: 'unchanged' }] })
    await client.callOk('resume_job', { queue: 'night' })
    await untilState(client, id, 'paused')
    expect(existsSync(join(home.home, 'ran'))).toBe(false)
    const resumed = await client.callOk('resume_job', { filter: { labels: { night: '1' } } })
    expect(resumed).toMatchObject({ jobs: [{ id, outcome: 'resumed' }] })
    await client.callOk('wait_for_jobs', { id, timeout_s: 20 })
    expect(existsSync(join(home.home, 'ran'))).toBe(true)
    expect(await client.callOk('pause_job', { id })).toMatchObject({ jobs: [{ id, outcome: 'already_final' }] })
    expect(await client.callOk('queue_status')).toMatchObject({ queues: [{ name: 'night', concurrency: 1 }] })
  })

  test('send_input answers a command that asks', async () => {
    const home = useTemporaryHome()
    const client = await connect(home)
    const { id } = await client.callOk<Submitted>('submit_job', {
      params: { argv: ['sh', '-c', 'read answer; echo "got $answer"'], cwd: home.home, interactive: true },
    })
    await waitUntil(async () => !(await client.call('send_input', { id, text: 'yes' })).isError)
    await client.callOk('wait_for_jobs', { id, timeout_s: 20 })
    expect(await client.callOk('job_logs', { id })).toMatchObject({ untrusted_output: 'got yes\n' })
  })

  test('a dependency passes its result on; a cycle cannot be made', async () => {
    const home = useTemporaryHome()
    const client = await connect(home)
    const first = await client.callOk<Submitted>('submit_job', {
      params: { shell: true, script: `${untilGo}; echo '{"n":7}' > "$NIGHTKILN_RESULT"`, cwd: home.home },
    })
    const second = await client.callOk<Submitted>('submit_job', {
      params: { argv: ['echo', '{{fit.result.n}}'], cwd: home.home },
      depends_on: [{ id: first.id, as: 'fit' }],
    })
    await untilState(client, second.id, 'blocked')
    const cycle = await client.call('update_job', { id: first.id, depends_on: [second.id] })
    expect(cycle.isError).toBe(true)
    writeFileSync(join(home.home, 'go'), '')
    await client.callOk('wait_for_jobs', { id: second.id, timeout_s: 20 })
    expect(await client.callOk('job_logs', { id: second.id })).toMatchObject({ untrusted_output: '7\n' })
  })
})

describe('history', () => {
  test('export, then delete with a dry run first', async () => {
    const home = useTemporaryHome()
    const client = await connect(home)
    const { id } = await client.callOk<Submitted>('submit_job', { type: 'noop', params: {}, units: ['a', 'b'] })
    await client.callOk('wait_for_jobs', { id, timeout_s: 20 })
    const file = join(home.home, 'units.csv')
    const exported = await client.callOk('export_jobs', { id, what: 'units', format: 'csv', file })
    expect(exported).toMatchObject({ file, rows: 2 })
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(3)
    const dry = await client.callOk('delete_jobs', { filter: { type: 'noop' }, dry_run: true })
    expect(dry).toMatchObject({ deleted: 1, ids: [id], dry_run: true })
    expect(await client.callOk('list_jobs')).toMatchObject({ jobs: [{ id }] })
    expect(await client.callOk('delete_jobs', { filter: { type: 'noop' } })).toMatchObject({ deleted: 1 })
    expect((await client.call('job_status', { id })).text).toMatch(/^job_not_found: /)
  })

  test('schedules are made, shown, changed and removed', async () => {
    const home = useTemporaryHome()
    const client = await connect(home)
    const made = await client.callOk('schedule_job', {
      name: 'nightly',
      cron: '0 3 * * *',
      time_zone: 'Europe/Berlin',
      job: { type: 'noop', params: {} },
    })
    expect(made).toMatchObject({ existing: false, schedule: { name: 'nightly', enabled: true } })
    expect(await client.callOk('list_schedules')).toMatchObject({ schedules: [{ name: 'nightly', history: [] }] })
    expect(await client.callOk('queue_status')).toMatchObject({ schedules: { enabled: 1 } })
    expect(await client.callOk('remove_schedule', { name: 'nightly' })).toMatchObject({ removed: true })
    expect(await client.callOk('remove_schedule', { name: 'nightly' })).toMatchObject({ removed: false })
    const bad = await client.call('schedule_job', { name: 'x', cron: 'often', job: { type: 'noop', params: {} } })
    expect(bad.isError).toBe(true)
    expect(bad.text).toMatch(/^invalid_input: .*often/)
  })
})
