import { expect, test } from 'vitest'
import type { NewJob } from '../../../src/domain/ports/job-store.ts'
import type { Commit } from '../../../src/manager/runtime/commit-queue.ts'
import { Dispatcher } from '../../../src/manager/runtime/dispatcher.ts'
import { InlineRunner } from '../../../src/manager/runtime/inline-runner.ts'
import type { Claim } from '../../../src/manager/runtime/pool.ts'
import { newJob } from '../../support/new-job.ts'
import { newUnits, openQueue } from './queue-under-test.ts'

/** A dispatcher with a pool for commands, which only notes them, and one that ends so many units in a commit. */
function openRunner(unitsInCommit: number) {
  const disk = { isBroken: false }
  const queue = openQueue({
    faultPoint: () => {
      if (disk.isBroken) throw new Error('disk error')
    },
    isStorageFault: (error) => (error as Error).message === 'disk error',
  })
  const { store, commits, clock } = queue
  store.registerWorker({ id: 'w', kind: 'command', name: 'w', pid: 1, slots: 4 }, clock.now(), clock.now() + 60_000)
  const commands: Claim[] = []
  const ended: string[] = []
  const inline = new InlineRunner({
    store,
    clock,
    compute: (_params, unit) => unit,
    onEnded: ({ unitIds }) => ended.push(...unitIds),
  })
  const follow = (_commit: Commit) => dispatcher.offer(store.takeConsequences().runnable)
  commits.addClosingHook(follow)
  const dispatcher: Dispatcher = new Dispatcher({
    store,
    commits,
    clock,
    executorOf: (type) => (type === 'noop' ? 'inline' : 'command'),
    typeLimitOf: () => null,
    gpuPlacesFor: () => 0,
    createNonce: () => 'nonce',
    pools: [
      {
        kind: 'inline',
        workerId: 'w',
        slots: unitsInCommit,
        endsInCommit: true,
        start: (claims, commit) => {
          inline.run(claims, commit)
          follow(commit)
        },
      },
      { kind: 'command', workerId: 'w', slots: 4, endsInCommit: false, start: (claims) => commands.push(...claims) },
    ],
  })
  dispatcher.start()
  const submit = (name: string, changes: Partial<NewJob> = {}) =>
    commits.run(() => {
      const submitted = store.submitJob(newJob(clock.now(), name, { type: 'noop', ...changes }))
      if (submitted.kind !== 'created') throw new Error(submitted.kind)
      return submitted.job.id
    })
  const stateOf = (id: string) => store.readJob(id)?.state
  return { ...queue, dispatcher, disk, commands, ended, submit, stateOf }
}

test('a unit that needs no processor is submitted, claimed and ended in one commit', async () => {
  const { submit, stateOf, transactions, ended, dispatcher, commits, store } = openRunner(4)
  await commits.run(() => undefined)
  const before = transactions()
  const id = await submit('join')
  expect(transactions() - before).toBe(1)
  expect(stateOf(id)).toBe('completed')
  expect(ended).toHaveLength(1)
  expect(dispatcher.slotsOf('noop').busy).toBe(0)
  expect(store.findHeldUnits({ limit: 10 })).toEqual([])
})

test('what its end makes possible is claimed in the same commit', async () => {
  const { submit, commands, dispatcher, transactions } = openRunner(4)
  dispatcher.quiet()
  const first = await submit('first')
  const dependsOn = (jobId: string) => [{ jobId, alias: '0', condition: 'completed' as const }]
  const second = await submit('second', { dependencies: dependsOn(first) })
  await submit('third', { type: 'command', dependencies: dependsOn(second) })
  const before = transactions()
  dispatcher.start()
  await expect.poll(() => commands.map(({ job }) => job.name)).toEqual(['third'])
  expect(transactions() - before).toBe(1)
})

test('many units end in so many commits that other calls get between', async () => {
  const { submit, stateOf, ended, transactions } = openRunner(4)
  const before = transactions()
  const id = await submit('many', { units: newUnits(10) })
  expect(ended).toHaveLength(4)
  await expect.poll(() => stateOf(id)).toBe('completed')
  expect(ended).toHaveLength(10)
  expect(transactions() - before).toBeLessThanOrEqual(4)
})

test('a concurrency below the units of a commit does not stop the job', async () => {
  const { submit, stateOf } = openRunner(4)
  const id = await submit('narrow', { concurrency: 1, units: newUnits(10) })
  await expect.poll(() => stateOf(id)).toBe('completed')
})

test('a commit that fails leaves the units as they were, and each ends once', async () => {
  const { submit, stateOf, dispatcher, disk, commits, ended, store } = openRunner(4)
  dispatcher.quiet()
  const id = await submit('job', { units: newUnits(3) })
  disk.isBroken = true
  dispatcher.start()
  await expect(commits.run(() => undefined)).rejects.toThrow('disk error')
  expect(ended).toEqual([])
  disk.isBroken = false
  await commits.run(() => undefined)
  expect(stateOf(id)).toBe('completed')
  expect(ended).toHaveLength(3)
  expect(store.readUnits(id, { limit: 10 }).map(({ attempt }) => attempt)).toEqual([1, 1, 1])
})
