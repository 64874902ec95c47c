import { expect, test } from 'vitest'
import type { ErrorRecord } from '../../../src/domain/errors.ts'
import type { NewJob } from '../../../src/domain/ports/job-store.ts'
import { Dispatcher } from '../../../src/manager/runtime/dispatcher.ts'
import type { Claim } from '../../../src/manager/runtime/pool.ts'
import { newJob } from '../../support/new-job.ts'
import { newUnits, openQueue } from './queue-under-test.ts'

const busy: ErrorRecord = { code: 'gpu_unavailable', message: 'busy', remedy: 'Wait.' }

interface Setup {
  /** Groups of types, each with so many places at a worker that serves all of them. */
  readonly places: Readonly<Record<string, number>>
  readonly gpuSlots?: number
  readonly typeLimits?: Readonly<Record<string, number>>
}

/** A dispatcher with four local slots and workers that count what they were given, as the fleet does. */
function openDispatcher({ places, gpuSlots = 100, typeLimits = {} }: Setup) {
  const queue = openQueue()
  const { store, commits, clock } = queue
  store.registerWorker({ id: 'w', kind: 'command', name: 'w', pid: 1, slots: 4 }, clock.now(), clock.now() + 60_000)
  const free = new Map(Object.entries(places))
  const workerOf = (type: string) => [...free.keys()].find((worker) => worker.split('+').includes(type)) ?? ''
  const remote: Claim[] = []
  const local: Claim[] = []
  let most = 0
  let nonce = 0
  commits.addClosingHook(() => dispatcher.offer(store.takeConsequences().runnable))
  const dispatcher: Dispatcher = new Dispatcher({
    store,
    commits,
    clock,
    executorOf: () => 'command',
    typeLimitOf: (type) => typeLimits[type] ?? null,
    gpuPlacesFor: (type) => free.get(workerOf(type)) ?? 0,
    createNonce: () => `nonce${nonce++}`,
    pools: [
      { kind: 'command', workerId: 'w', slots: 4, endsInCommit: false, start: (claims) => local.push(...claims) },
      {
        kind: 'gpu',
        workerId: 'w',
        slots: gpuSlots,
        endsInCommit: false,
        start: (claims) => {
          remote.push(...claims)
          for (const { job } of claims) free.set(workerOf(job.type), (free.get(workerOf(job.type)) ?? 0) - 1)
          most = Math.min(most, ...free.values())
        },
      },
    ],
  })
  dispatcher.start()
  const submit = (name: string, changes: Partial<NewJob> = {}) =>
    commits.run(() => {
      const submitted = store.submitJob(newJob(clock.now(), name, { gpu: 'prefer', ...changes }))
      if (submitted.kind !== 'created') throw new Error(submitted.kind)
      return submitted.job
    })
  /** Ends a unit. A place at a worker is free again only once `free` says so. */
  const end = (claim: Claim | undefined) =>
    commits.run(() => {
      if (claim === undefined) throw new Error('nothing to end')
      const { id: unitId, attempt, nonce: given, workerId } = claim.unit
      const facts = { exitCode: 0, error: null, elapsedMs: 1, outputBytes: 0, droppedBytes: 0, now: clock.now() }
      store.completeUnitIfHeld({ unitId, attempt, nonce: given, workerId }, null, facts)
      dispatcher.releaseSlot(unitId)
    })
  /** What the fleet tells after a look at its workers. */
  const makePlaces = async (worker: string, count: number) => {
    free.set(worker, count)
    dispatcher.reloadTypes()
    await settle()
  }
  const settle = async () => {
    for (let commit = 0; commit < 4; commit += 1) await commits.run(() => undefined)
  }
  const namesOf = (claims: readonly Claim[]) => claims.map(({ job }) => job.name)
  return { ...queue, dispatcher, submit, end, makePlaces, settle, remote, local, namesOf, overbooked: () => most < 0 }
}

test('units for GPU workers take places there, never more, and no slot of this machine', async () => {
  const { submit, remote, local, dispatcher, overbooked, store, settle } = openDispatcher({ places: { scan: 3 } })
  await submit('job', { type: 'scan', units: newUnits(10) })
  await settle()
  expect([remote.length, local.length]).toEqual([3, 0])
  expect(dispatcher.slotsOfKind('gpu')).toEqual({ total: 100, busy: 3 })
  expect(dispatcher.slotsOfKind('command').busy).toBe(0)
  expect(store.readAttempts(remote[0]?.unit.id ?? '')).toMatchObject([{ executor: 'gpu', mode: 'remote' }])
  expect(dispatcher.waitingJobs).toBe(1)
  await submit('here', { type: 'scan', gpu: 'never', units: newUnits(6) })
  expect([remote.length, local.length]).toEqual([3, 4])
  expect(overbooked()).toBe(false)
})

test('several types and jobs in one commit share the places of a worker', async () => {
  const { submit, remote, overbooked, settle } = openDispatcher({ places: { 'scan+fit': 3 } })
  await Promise.all([
    submit('a', { type: 'scan', units: newUnits(2) }),
    submit('b', { type: 'fit', units: newUnits(2) }),
    submit('c', { type: 'scan', submittedBy: 'grace', units: newUnits(2) }),
  ])
  await settle()
  expect(remote).toHaveLength(3)
  expect(overbooked()).toBe(false)
})

test('what only starts at one worker does not keep the place of another for itself', async () => {
  const { submit, remote, settle, namesOf, overbooked } = openDispatcher({ places: { scan: 2, fit: 1 } })
  await Promise.all([submit('scan', { type: 'scan', units: newUnits(5) }), submit('fit', { type: 'fit' })])
  await settle()
  expect(namesOf(remote).sort()).toEqual(['fit', 'scan', 'scan'])
  expect(overbooked()).toBe(false)
})

test('a freed place is used as soon as the fleet tells of it, until all have run', async () => {
  const { submit, remote, end, makePlaces, overbooked } = openDispatcher({ places: { scan: 1 } })
  await submit('job', { type: 'scan', units: newUnits(4) })
  for (let done = 0; done < 4; done += 1) {
    expect(remote).toHaveLength(done + 1)
    await end(remote[done])
    expect(remote).toHaveLength(done + 1)
    await makePlaces('scan', 1)
  }
  expect(remote.map(({ unit }) => unit.position)).toEqual([0, 1, 2, 3])
  expect(overbooked()).toBe(false)
})

test('lanes that wait for a place are found again when there is one, with keys and without', async () => {
  const { submit, remote, makePlaces, dispatcher } = openDispatcher({ places: { scan: 0 } })
  await submit('plain', { type: 'scan', units: newUnits(2) })
  await submit('keyed', {
    type: 'scan',
    units: newUnits(3, (position) => (position === 0 ? null : `host ${position}`)),
  })
  expect(remote).toEqual([])
  expect(dispatcher.waitingJobs).toBe(4)
  await makePlaces('scan', 4)
  expect(remote).toHaveLength(4)
  await makePlaces('scan', 9)
  expect(remote).toHaveLength(5)
  expect(dispatcher.waitingJobs).toBe(0)
})

test('the limit of a type holds over this machine and the workers together', async () => {
  const { submit, remote, local, end, commits, store, clock } = openDispatcher({
    places: { scan: 5 },
    typeLimits: { scan: 2 },
  })
  await submit('here', { type: 'scan', gpu: 'never', units: newUnits(2) })
  expect(local).toHaveLength(2)
  const { id: jobId, seq } = await submit('both', { type: 'scan', units: newUnits(3) })
  expect(remote).toEqual([])
  await commits.run(() => store.placeUnitsHere({ jobId, seq }, busy, 1, clock.now()))
  await end(local[0])
  await end(local[1])
  const running = () => remote.length + local.length - 2
  expect(running()).toBe(2)
  for (const claim of [...remote, ...local.slice(2)]) await end(claim)
  expect(running()).toBe(3)
  expect([remote.length, local.length - 2]).toEqual([2, 1])
})

test('gpu_slots bound what is at the workers', async () => {
  const { submit, remote, end, settle } = openDispatcher({ places: { scan: 9 }, gpuSlots: 2 })
  await submit('job', { type: 'scan', units: newUnits(5) })
  await settle()
  expect(remote).toHaveLength(2)
  await end(remote[0])
  expect(remote).toHaveLength(3)
})

test('a key limit holds over both places', async () => {
  const { submit, remote, local, end, commits, store, clock } = openDispatcher({ places: { scan: 5 } })
  const keyLimits = { concurrency: 1, rate: null }
  const units = newUnits(4, () => 'a.org')
  const { id: jobId, seq } = await submit('job', { type: 'scan', keyLimits, units })
  expect(remote).toHaveLength(1)
  await commits.run(() => store.placeUnitsHere({ jobId, seq }, busy, 2, clock.now()))
  expect(local).toEqual([])
  for (let done = 0; done < 4; done += 1) {
    const claims = [...remote, ...local]
    expect(claims).toHaveLength(done + 1)
    const ended = store.findHeldUnits({ limit: 9 })
    expect(ended).toHaveLength(1)
    await end(claims.find(({ unit }) => unit.id === ended[0]?.fence.unitId))
  }
  expect([remote.length, local.length]).toEqual([2, 2])
})

test('what an earlier manager left at a worker counts there, and not here', async () => {
  const { submit, store, commits, clock, dispatcher } = openDispatcher({ places: { scan: 2 } })
  await submit('job', { type: 'scan', units: newUnits(2) })
  dispatcher.quiet()
  const successor = new Dispatcher({
    store,
    commits,
    clock,
    executorOf: () => 'command',
    typeLimitOf: () => null,
    gpuPlacesFor: () => 9,
    createNonce: () => 'successor',
    pools: [
      { kind: 'command', workerId: 'w', slots: 4, endsInCommit: false, start: () => undefined },
      { kind: 'gpu', workerId: 'w', slots: 2, endsInCommit: false, start: () => undefined },
    ],
  })
  for (const held of store.findHeldUnits({ limit: 9 })) successor.occupySlot(held)
  expect(successor.slotsOfKind('gpu')).toEqual({ total: 2, busy: 2 })
  expect(successor.slotsOfKind('command').busy).toBe(0)
  successor.quiet()
})

test('clients share the places that come up together, and those that come free one by one', async () => {
  const { submit, remote, end, makePlaces, namesOf } = openDispatcher({ places: { 'scan+fit': 0 } })
  await submit('greedy', { type: 'scan', submittedBy: 'greedy', units: newUnits(50) })
  await submit('late', { type: 'fit', submittedBy: 'late', units: newUnits(6) })
  await makePlaces('scan+fit', 4)
  expect(namesOf(remote).sort()).toEqual(['greedy', 'greedy', 'late', 'late'])
  for (let done = 0; done < 8; done += 1) {
    await end(remote[done])
    await makePlaces('scan+fit', 1)
  }
  expect(namesOf(remote).filter((name) => name === 'late')).toHaveLength(6)
})
