import { expect, test, vi } from 'vitest'
import type { JobStore, NewJob } from '../../../src/domain/ports/job-store.ts'
import { Dispatcher } from '../../../src/manager/runtime/dispatcher.ts'
import type { Claim } from '../../../src/manager/runtime/pool.ts'
import { ReadyIndex } from '../../../src/manager/runtime/ready-index.ts'
import { newJob } from '../../support/new-job.ts'
import { newUnits, openQueue } from './queue-under-test.ts'

function openDispatcher(slots: number) {
  const disk = { failsFor: null as string | null }
  const queue = openQueue({ isStorageFault: (error) => (error as Error).message === 'disk error' })
  const { store, commits, clock } = queue
  store.registerWorker({ id: 'w', kind: 'command', name: 'w', pid: 1, slots }, clock.now(), clock.now() + 60_000)
  const failing: JobStore = new Proxy(store, {
    get(target, name) {
      if (name === 'claimUnitsIfDue') {
        return (request: Parameters<JobStore['claimUnitsIfDue']>[0]) => {
          if (disk.failsFor !== request.jobId) return target.claimUnitsIfDue(request)
          disk.failsFor = null
          throw new Error('disk error')
        }
      }
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const claims: Claim[] = []
  let nonce = 0
  commits.addClosingHook(() => dispatcher.offer(store.takeConsequences().runnable))
  const dispatcher: Dispatcher = new Dispatcher({
    store: failing,
    commits,
    clock,
    executorOf: () => 'command',
    typeLimitOf: () => null,
    gpuPlacesFor: () => 0,
    createNonce: () => `nonce${nonce++}`,
    pools: [{ kind: 'command', workerId: 'w', slots, endsInCommit: false, start: (given) => claims.push(...given) }],
  })
  dispatcher.start()
  const submit = (name: string, changes: Partial<NewJob> = {}) =>
    commits.run(() => {
      const submitted = store.submitJob(newJob(clock.now(), name, changes))
      if (submitted.kind !== 'created') throw new Error(submitted.kind)
      return submitted.job
    })
  const end = (claim: Claim) =>
    commits.run(() => {
      const { id: unitId, attempt, nonce: given, workerId } = claim.unit
      store.completeUnitIfHeld({ unitId, attempt, nonce: given, workerId }, null, {
        exitCode: 0,
        error: null,
        elapsedMs: 1,
        outputBytes: 0,
        droppedBytes: 0,
        now: clock.now(),
      })
      dispatcher.releaseSlot(unitId)
    })
  /** Ends what runs, one after the other, until nothing does. @returns names of the jobs in the order in which units started */
  const runAll = async () => {
    for (let done = 0; done < claims.length; done += 1) await end(claims[done] as Claim)
    return started()
  }
  const started = () => claims.map((claim) => claim.job.name)
  const settle = () => commits.run(() => undefined)
  return { ...queue, dispatcher, disk, claims, started, submit, end, runAll, settle }
}

test('claims share the commit of their submits, in order, up to the slots', async () => {
  const { started, submit, dispatcher, transactions } = openDispatcher(2)
  const before = transactions()
  await Promise.all(['a', 'b', 'c'].map((name) => submit(name)))
  expect(started()).toEqual(['a', 'b'])
  expect(dispatcher.slotsOf('command')).toEqual({ total: 2, busy: 2 })
  expect(transactions() - before).toBeLessThanOrEqual(2)
})

test('a storage fault in a claim loses no job and leaks no slot', async () => {
  const { started, submit, dispatcher, disk, settle, store } = openDispatcher(2)
  dispatcher.quiet()
  const jobs = [await submit('a'), await submit('b'), await submit('c')]
  disk.failsFor = jobs[1]?.id ?? null
  dispatcher.start()
  await settle().catch(() => undefined)
  await settle()
  expect(started()).toEqual(['a', 'b'])
  expect(dispatcher.slotsOf('command').busy).toBe(2)
  expect(dispatcher.waitingJobs).toBe(1)
  expect(store.findHeldUnits({ limit: 10 })).toHaveLength(2)
})

test('clients share the slots: one that submits a thousand starves nobody', async () => {
  const { started, submit, end, claims } = openDispatcher(2)
  await submit('greedy', { submittedBy: 'greedy', units: newUnits(50) })
  await submit('late', { submittedBy: 'late', units: newUnits(3) })
  expect(started()).toEqual(['greedy', 'greedy'])
  for (let turn = 0; turn < 6; turn += 1) await end(claims[turn] as Claim)
  expect(
    started()
      .slice(2, 8)
      .filter((name) => name === 'late'),
  ).toHaveLength(3)
})

test('a key limit holds over jobs of the queue, to the unit', async () => {
  const { claims, submit, end, dispatcher } = openDispatcher(10)
  const keyLimits = { concurrency: 2, rate: null }
  await submit('first', { keyLimits, units: newUnits(4, () => 'a.org') })
  await submit('second', { keyLimits, units: newUnits(4, (position) => (position < 2 ? 'a.org' : 'b.org')) })
  const runningOf = (key: string) => claims.filter(({ unit }) => unit.limitKey === key).length
  expect(runningOf('a.org')).toBe(2)
  expect(runningOf('b.org')).toBe(2)
  const [first] = claims.filter(({ unit }) => unit.limitKey === 'a.org')
  await end(first as Claim)
  expect(runningOf('a.org')).toBe(3)
  expect(dispatcher.slotsOf('command').busy).toBe(4)
})

test('a queue limit holds, and the other queues go on', async () => {
  const { started, submit, commits, store, clock, dispatcher, runAll } = openDispatcher(10)
  await commits.run(() => store.updateQueue('slow', { concurrency: 1 }, clock.now()))
  dispatcher.reloadQueues()
  await submit('slow', { queue: 'slow', units: newUnits(3) })
  await submit('fast', { units: newUnits(2) })
  expect(started()).toEqual(['slow', 'fast', 'fast'])
  expect(dispatcher.waitOfQueue('slow')).toBe('full')
  expect((await runAll()).filter((name) => name === 'slow')).toHaveLength(3)
})

test('a rate limit starts its number in a window, also after a restart', async () => {
  const { started, submit, commits, store, clock, dispatcher, settle } = openDispatcher(10)
  await commits.run(() => store.updateQueue('polite', { rate: { count: 2, windowMs: 1_000 } }, clock.now()))
  dispatcher.reloadQueues()
  await submit('polite', { queue: 'polite', units: newUnits(5) })
  expect(started()).toHaveLength(2)
  clock.advance(500)
  const successor = new Dispatcher({
    store,
    commits,
    clock,
    executorOf: () => 'command',
    typeLimitOf: () => null,
    gpuPlacesFor: () => 0,
    createNonce: () => 'successor',
    pools: [{ kind: 'command', workerId: 'w', slots: 10, endsInCommit: false, start: () => undefined }],
  })
  successor.start()
  expect(successor.waitOfQueue('polite')).toEqual({ heldUntil: clock.now() + 500, isHeld: false })
  successor.quiet()
  clock.advance(500)
  await settle()
  expect(started()).toHaveLength(4)
})

test('a hold keeps its lane back until its time, and nothing else', async () => {
  const { claims, submit, clock, dispatcher, settle } = openDispatcher(10)
  dispatcher.holdLane({ queue: 'default', key: 'slow.org' }, clock.now() + 5_000)
  await submit('crawl', { units: newUnits(4, (position) => (position % 2 === 0 ? 'slow.org' : 'fast.org')) })
  expect(claims.map(({ unit }) => unit.limitKey)).toEqual(['fast.org', 'fast.org'])
  clock.advance(5_000)
  await settle()
  expect(claims).toHaveLength(4)
})

test('the end of a hold lets its queue and keys start at once, and no other queue', async () => {
  const { started, submit, clock, dispatcher, store, settle } = openDispatcher(10)
  const until = clock.now() + 24 * 3_600_000
  for (const lane of [
    { queue: 'web', key: '' },
    { queue: 'web', key: 'a.org' },
    { queue: 'web2', key: '' },
  ])
    dispatcher.holdLane(lane, until)
  store.updateQueue('web2', {}, clock.now())
  await submit('held', { queue: 'web', units: newUnits(1, () => 'a.org') })
  await submit('other', { queue: 'web2' })
  expect(started()).toEqual([])
  dispatcher.endHolds('web')
  await settle()
  expect(started()).toEqual(['held'])
  expect(dispatcher.waitOfQueue('web')).toBeNull()
})

test('an end looks at no more lanes of a full key than there is room for', async () => {
  const { claims, submit, end, runAll } = openDispatcher(10)
  const offered = vi.spyOn(ReadyIndex.prototype, 'offer')
  const keyLimits = { concurrency: 1, rate: null }
  for (let index = 0; index < 100; index += 1)
    await submit(`job ${index}`, { keyLimits, units: newUnits(1, () => 'host') })
  expect(claims).toHaveLength(1)
  offered.mockClear()
  await end(claims[0] as Claim)
  expect(claims).toHaveLength(2)
  expect(offered.mock.calls.length).toBeLessThan(5)
  offered.mockRestore()
  claims.shift()
  expect(await runAll()).toEqual(Array.from({ length: 99 }, (_, index) => `job ${index + 1}`))
})

test('the units of a job stay under its concurrency', async () => {
  const { claims, submit, end } = openDispatcher(10)
  await submit('job', { concurrency: 3, units: newUnits(8) })
  expect(claims).toHaveLength(3)
  await end(claims[0] as Claim)
  expect(claims).toHaveLength(4)
})
