import { expect, test } from 'vitest'
import type { JobStore } from '../../../src/domain/ports/job-store.ts'
import { Dispatcher } from '../../../src/manager/runtime/dispatcher.ts'
import { newJob, openQueue } from './queue-under-test.ts'

function openDispatcher(slots: number) {
  const disk = { failsFor: null as string | null }
  const queue = openQueue({ isStorageFault: (error) => (error as Error).message === 'disk error' })
  const { store, commits, clock } = queue
  store.registerWorker({ id: 'w', kind: 'command', name: 'w', pid: 1, slots }, clock.now(), clock.now() + 60_000)
  const failing: JobStore = new Proxy(store, {
    get(target, name) {
      if (name === 'claimUnitIfDue') {
        return (request: { jobId: string }) => {
          if (disk.failsFor === request.jobId) {
            disk.failsFor = null
            throw new Error('disk error')
          }
          return target.claimUnitIfDue(request as Parameters<JobStore['claimUnitIfDue']>[0])
        }
      }
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const started: string[] = []
  let nonce = 0
  const dispatcher = new Dispatcher({
    store: failing,
    commits,
    clock,
    slots,
    workerId: 'w',
    createNonce: () => `nonce${nonce++}`,
    start: (claim) => started.push(claim.job.name),
  })
  dispatcher.start()
  const submit = (name: string) =>
    commits.run(() => {
      const submitted = store.submitJob(newJob(clock.now(), name))
      if (submitted.kind !== 'created') throw new Error(submitted.kind)
      dispatcher.offer(submitted.job, submitted.job.runAt)
      return submitted.job
    })
  return { ...queue, dispatcher, disk, started, submit }
}

test('claims share the commit of their submits, in order, up to the slots', async () => {
  const { started, submit, dispatcher, transactions } = openDispatcher(2)
  const before = transactions()
  await Promise.all(['a', 'b', 'c'].map(submit))
  expect(started).toEqual(['a', 'b'])
  expect(dispatcher.slots).toEqual({ total: 2, busy: 2 })
  expect(transactions() - before).toBeLessThanOrEqual(2)
})

test('a storage fault in a claim loses no job and leaks no slot', async () => {
  const { started, submit, dispatcher, disk, commits, store } = openDispatcher(2)
  dispatcher.quiet()
  const jobs = [await submit('a'), await submit('b'), await submit('c')]
  disk.failsFor = jobs[1]?.id ?? null
  dispatcher.start()
  await commits.run(() => undefined).catch(() => undefined)
  await commits.run(() => undefined)
  expect(started).toEqual(['a', 'b'])
  expect(dispatcher.slots.busy).toBe(2)
  expect(dispatcher.waitingJobs).toBe(1)
  expect(store.findHeldUnits({ limit: 10 })).toHaveLength(2)
})
