import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ManagerClient } from '../../src/client/manager-client.ts'
import { killManager, waitForManager } from '../support/manager-process.ts'
import { readStat } from '../support/proc.ts'
import { waitUntil } from '../support/wait-until.ts'
import { gatedCommand } from './support-a/gated-command.ts'
import { type Scenario, useScenario } from './support-a/scenario.ts'
import { readRows } from './support-b/database.ts'
import { textOf } from './support-b/workspace.ts'

/** Kills the manager; returns when its successor has answered, so when it has adopted and restored everything. */
async function replaceManager({ home }: Scenario, client: ManagerClient): Promise<void> {
  const dead = await killManager(home)
  const { manager } = await client.call('queue_status', {})
  expect(manager.epoch).toBeGreaterThan(dead.epoch)
  await waitForManager(home, { notEpoch: dead.epoch })
}

/** A job of a later client that runs at once proves that the dispatcher looked at everything before it. */
async function passingJob(scenario: Scenario, client: ManagerClient, queue = 'default'): Promise<void> {
  const { id } = await scenario.submit(client, { params: { argv: ['true'], cwd: '/tmp' }, queue })
  expect((await scenario.endOf(client, id)).state).toBe('completed')
}

const lines = (file: string): readonly string[] =>
  textOf(file)
    .split('\n')
    .filter((line) => line !== '')

test('a pause survives the death of the manager: what waits does not start until it is resumed', async () => {
  const scenario = useScenario({ slots: 4 })
  const client = scenario.client()
  const file = join(scenario.directory, 'units.txt')
  const { id } = await scenario.submit(client, {
    params: { shell: true, script: `echo $NIGHTKILN_UNIT >> units.txt; until [ -e go ]; do sleep 0.02; done` },
    units: ['one', 'two', 'three'],
    concurrency: 1,
  })
  await waitUntil(() => lines(file).length === 1, { what: 'the first unit' })
  const paused = await client.call('pause_job', { ids: [id] })
  expect(paused.jobs).toMatchObject([{ outcome: 'pausing' }])
  await replaceManager(scenario, client)
  // The unit that ran may finish; nothing follows it.
  writeFileSync(join(scenario.directory, 'go'), '')
  await waitUntil(async () => (await scenario.job(client, id)).state === 'paused', { what: 'the running unit to end' })
  await passingJob(scenario, client)
  expect(lines(file)).toEqual(['one'])
  await client.call('resume_job', { ids: [id] })
  expect((await scenario.endOf(client, id)).state).toBe('completed')
  expect(lines(file)).toEqual(['one', 'two', 'three'])
  await scenario.end()
})

test('a frozen command does not tick while no manager lives, nor under the next one, until it is resumed', async () => {
  const scenario = useScenario({ slots: 4 })
  const { directory } = scenario
  const client = scenario.client()
  const file = join(directory, 'ticks.txt')
  const { id } = await scenario.submit(client, {
    params: {
      shell: true,
      // A child ticks as well: both must stand still.
      script: '(until [ -e go ]; do echo $$ >> ticks.txt; sleep 0.02; done) & echo $! > child.txt; wait',
    },
  })
  await waitUntil(() => lines(file).length > 2 && textOf(join(directory, 'child.txt')) !== '', { what: 'ticks' })
  const child = Number(textOf(join(directory, 'child.txt')))
  const parent = Number(lines(file)[0])
  expect((await client.call('pause_job', { ids: [id], freeze: true })).jobs).toMatchObject([{ outcome: 'frozen' }])
  const areStopped = () => [parent, child].every((pid) => readStat(pid)?.state === 'T')
  await waitUntil(areStopped, { what: 'all its processes to be stopped' })
  const ticks = lines(file).length

  await killManager(scenario.home)
  expect(areStopped()).toBe(true)
  await client.call('queue_status', {})
  await passingJob(scenario, client)
  expect(areStopped()).toBe(true)
  expect(lines(file)).toHaveLength(ticks)
  expect((await scenario.job(client, id)).state).toBe('paused')

  await client.call('resume_job', { ids: [id] })
  await waitUntil(() => lines(file).length > ticks, { what: 'it to tick again' })
  writeFileSync(join(directory, 'go'), '')
  expect(await scenario.endOf(client, id)).toMatchObject({ state: 'completed', attempts: 1 })
  await scenario.end()
})

test('a job held for review starts nothing under the next manager, which holds it until it is approved', async () => {
  const scenario = useScenario({ slots: 4 })
  const client = scenario.client()
  const file = join(scenario.directory, 'units.txt')
  const { id } = await scenario.submit(client, {
    params: { shell: true, script: 'echo $NIGHTKILN_UNIT >> units.txt' },
    source: { kind: 'range', from: 1, to: 6, step: 1 },
    test_first: 2,
  })
  await waitUntil(async () => (await scenario.job(client, id)).state === 'awaiting_approval', { what: 'the review' })
  await replaceManager(scenario, client)
  await passingJob(scenario, client)
  expect((await scenario.job(client, id)).state).toBe('awaiting_approval')
  expect([...lines(file)].sort()).toEqual(['1', '2'])
  await client.call('decide_job', { id, decision: 'approve' })
  expect((await scenario.endOf(client, id)).state).toBe('completed')
  expect([...lines(file)].sort()).toEqual(['1', '2', '3', '4', '5', '6'])
  await scenario.end()
})

test('a job that waits for another waits under the next manager too, and starts when that one completes', async () => {
  const scenario = useScenario({ slots: 4 })
  const client = scenario.client()
  const first = gatedCommand(scenario.directory, 'first')
  const { id: firstId } = await scenario.submit(client, first.job)
  const { id } = await scenario.submit(client, {
    params: { shell: true, script: 'touch second' },
    depends_on: [firstId],
  })
  await first.started()
  await replaceManager(scenario, client)
  await passingJob(scenario, client)
  expect((await scenario.job(client, id)).state).toBe('blocked')
  expect(existsSync(join(scenario.directory, 'second'))).toBe(false)
  // It completes while no manager lives: the next one must tell the other.
  await killManager(scenario.home)
  first.open()
  await first.ended()
  expect((await scenario.endOf(client, id)).state).toBe('completed')
  await scenario.end()
})

test('a lane that was told to slow down stays closed under the next manager until its time, without a failure', async () => {
  const scenario = useScenario({ slots: 4 })
  const client = scenario.client()
  const file = join(scenario.directory, 'units.txt')
  const { id } = await scenario.submit(client, {
    params: {
      shell: true,
      script: 'echo "$NIGHTKILN_ATTEMPT $(date +%s%3N)" >> units.txt; [ $NIGHTKILN_ATTEMPT -gt 1 ] || exit 75',
    },
    units: ['only'],
    per_key: { key: 'slow.example', concurrency: 5 },
    rate_limited: { exit_codes: [75], wait_s: 4 },
  })
  await waitUntil(async () => (await scenario.job(client, id)).state === 'rate_limited', { what: 'the hold' })
  const [told] = readRows<{ until: number }>(scenario.home, 'SELECT held_until AS until FROM lane_hold')
  // Another job of the lane would hear the same: it is held as well.
  const { id: other } = await scenario.submit(client, {
    params: { shell: true, script: 'echo "other $(date +%s%3N)" >> units.txt' },
    units: ['other'],
    per_key: { key: 'slow.example', concurrency: 5 },
  })
  await replaceManager(scenario, client)
  await passingJob(scenario, client)
  expect(lines(file)).toHaveLength(1)
  const [job] = await scenario.ended(client, [id, other])
  expect(job).toMatchObject({ state: 'completed', attempts: 2 })
  expect(job?.attempt_history?.map(({ outcome }) => outcome)).toEqual(['rate_limited', 'completed'])
  for (const line of lines(file).slice(1)) {
    expect(Number(line.split(' ')[1]), line).toBeGreaterThanOrEqual(told?.until ?? Number.POSITIVE_INFINITY)
  }
  expect(lines(file)).toHaveLength(3)
  await scenario.end()
})

test('a paused queue stays paused under the next manager; the others go on', async () => {
  const scenario = useScenario({ slots: 4 })
  const client = scenario.client()
  await client.call('update_job', { queue: 'night', queue_concurrency: 2 })
  await client.call('pause_job', { queue: 'night' })
  const { id } = await scenario.submit(client, { params: { shell: true, script: 'touch ran' }, queue: 'night' })
  await replaceManager(scenario, client)
  await passingJob(scenario, client)
  expect((await scenario.job(client, id)).state).toBe('paused')
  expect(existsSync(join(scenario.directory, 'ran'))).toBe(false)
  await client.call('resume_job', { queue: 'night' })
  expect((await scenario.endOf(client, id)).state).toBe('completed')
  await scenario.end()
})

test('a total timeout goes on counting where it stood when the manager died', async () => {
  const limitMs = 6_500
  const scenario = useScenario({ slots: 4 })
  const client = scenario.client()
  const { id } = await scenario.submit(client, {
    params: { argv: ['sleep', '300'], cwd: '/tmp' },
    total_timeout_s: limitMs / 1000,
  })
  const stored = () => readRows<{ elapsed: number }>(scenario.home, 'SELECT elapsed_ms AS elapsed FROM job_clock')[0]
  // It is stored every 5 s.
  const { elapsed } = await waitUntil(() => ((stored()?.elapsed ?? 0) > 0 ? stored() : null), {
    intervalMs: 5,
    what: 'a stored time',
  })
  const killedAt = performance.now()
  await replaceManager(scenario, client)
  const withoutManagerMs = performance.now() - killedAt
  expect(await scenario.endOf(client, id)).toMatchObject({ state: 'failed' })
  const [cancel] = readRows<{ reason: string; afterMs: number }>(
    scenario.home,
    'SELECT cancel_reason AS reason, cancel_requested_at - started_at AS afterMs FROM job',
  )
  expect(cancel?.reason).toBe('deadline')
  // Time without a manager does not count; what was counted before it died does.
  expect(cancel?.afterMs).toBeGreaterThan(limitMs - 20)
  expect((cancel?.afterMs ?? 0) - withoutManagerMs).toBeLessThan(limitMs + elapsed / 2)
  await scenario.end()
})
