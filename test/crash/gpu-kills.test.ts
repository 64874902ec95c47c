import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { AttemptView } from '../../src/domain/wire/shared.ts'
import { killManager, waitForManager } from '../support/manager-process.ts'
import { rounds } from '../support/rounds.ts'
import { waitUntil } from '../support/wait-until.ts'
import { seededRandom, testSeed } from './support-a/seeded-random.ts'
import { configureWorkers, useWorkerProcess } from './support-gpu/worker-process.ts'
import { counterParams, counterSource, readCounted, stepsOf } from './support-handlers/counter.ts'
import { type HandlerHome, useHandlerHome } from './support-handlers/handler-home.ts'

async function historyOf(home: HandlerHome, id: string): Promise<readonly AttemptView[]> {
  const { jobs } = await home.client.call('job_status', { ids: [id], detail: 'full' })
  return jobs[0]?.attempt_history ?? []
}

const mostKills = rounds(5, 20)

const upTo = (steps: number) => Array.from({ length: steps }, (_, at) => at + 1)

test(`the manager SIGKILLed ${mostKills} times at random during remote jobs: each runs exactly once`, async () => {
  const seed = testSeed()
  const random = seededRandom(seed)
  const home = useHandlerHome({ gpu_lease: '20s' })
  home.write('counter.mjs', counterSource)
  const worker = await useWorkerProcess({ slots: 3, handlers: home.paths.handlers })
  await worker.start()
  configureWorkers(home, { rig: worker })
  const steps = 8
  const names = Array.from({ length: rounds(6, 12) }, (_, at) => `job-${at}`)
  const ids: string[] = []
  for (const name of names)
    ids.push(await home.submit('counter', counterParams(home, name, steps, 60), { gpu: 'require' }))
  let kills = 0
  while (kills < mostKills) {
    await waitForManager(home.home)
    await delay(Math.round(random() * 250))
    await killManager(home.home)
    kills += 1
    await home.client.call('queue_status', {})
  }
  const jobs = await home.ended(ids, 90_000)
  const lines = readCounted(home)
  expect(
    jobs.map(({ state }) => state),
    `seed ${seed}`,
  ).toEqual(names.map(() => 'completed'))
  for (const name of names) expect(stepsOf(lines, name), `${name}, seed ${seed}`).toEqual([upTo(steps)])
  await worker.stop()
  await home.stop()
})

test('the manager stopped for three leases, then continued: it asks, and a run that finishes at its worker is taken', async () => {
  const home = useHandlerHome({ gpu_lease: '2s' })
  // Pure: it goes on when nobody renews its lease.
  home.write('counter.mjs', counterSource.replace("type: 'counter',", "type: 'counter', pure: true,"))
  const worker = await useWorkerProcess({ handlers: home.paths.handlers })
  await worker.start()
  configureWorkers(home, { rig: worker })
  const id = await home.submit('counter', counterParams(home, 'lid', 30, 100), { gpu: 'prefer' })
  await waitUntil(() => readCounted(home).length > 3, { what: 'the run to begin' })
  const pid = await home.managerPid()
  process.kill(pid, 'SIGSTOP')
  await delay(6_500)
  process.kill(pid, 'SIGCONT')
  expect(await home.endOf(id)).toMatchObject({ state: 'completed', execution_mode: 'remote (cpu)' })
  expect(stepsOf(readCounted(home), 'lid')).toEqual([upTo(30)])
  await worker.stop()
  await home.stop()
})

test('the same with a handler that is cancelled at the end of its lease: another attempt goes on from its checkpoint', async () => {
  const home = useHandlerHome({ gpu_lease: '2s' })
  home.write('counter.mjs', counterSource)
  const worker = await useWorkerProcess({ handlers: home.paths.handlers })
  await worker.start()
  configureWorkers(home, { rig: worker })
  const id = await home.submit('counter', counterParams(home, 'lid', 60, 100), { gpu: 'prefer' })
  await waitUntil(() => readCounted(home).length > 3, { what: 'the run to begin' })
  const pid = await home.managerPid()
  process.kill(pid, 'SIGSTOP')
  await delay(6_500)
  process.kill(pid, 'SIGCONT')
  const job = await home.endOf(id, 40_000)
  expect(job).toMatchObject({ state: 'completed', execution_mode: 'remote (cpu)', attempts: 2 })
  const runs = stepsOf(readCounted(home), 'lid')
  expect(runs).toHaveLength(2)
  // No step is done twice: the second went on from the last checkpoint of the first.
  expect(runs.flat()).toEqual(upTo(60))
  expect((await historyOf(home, id)).map(({ outcome }) => outcome)).toEqual(['released', 'completed'])
  await worker.stop()
  await home.stop()
})

test('a worker that is stopped: fallback only after its lease, from the last checkpoint; its own run ends, its late result is refused', async () => {
  const home = useHandlerHome({ gpu_lease: '2s' })
  home.write('counter.mjs', counterSource)
  const worker = await useWorkerProcess({ handlers: home.paths.handlers })
  await worker.start()
  configureWorkers(home, { rig: worker })
  const id = await home.submit('counter', counterParams(home, 'stopped', 60, 100), { gpu: 'prefer' })
  // Far enough that a poll has brought a checkpoint.
  await waitUntil(() => readCounted(home).some(({ event }) => event === '20'), { what: 'the run to be on its way' })
  const stoppedAt = performance.now()
  await worker.signal('SIGSTOP')
  const second = await waitUntil(() => readCounted(home).filter(({ event }) => event === 'start')[1], {
    timeoutMs: 40_000,
    what: 'the fallback',
  })
  expect(performance.now() - stoppedAt).toBeGreaterThan(2_000)
  expect(second.from).toBeGreaterThan(0)
  const job = await home.endOf(id, 40_000)
  await worker.signal('SIGCONT')
  expect(job).toMatchObject({ state: 'completed', execution_mode: 'local (gpu fallback)' })
  const history = await historyOf(home, id)
  expect(history.map(({ outcome }) => outcome)).toEqual(['released', 'completed'])
  expect(history[0]?.error).toMatchObject({ code: 'gpu_unavailable' })
  expect(await home.job(id)).toEqual(job)
  await worker.stop()
  await home.stop()
})
