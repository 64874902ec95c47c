import { expect, test } from 'vitest'
import { type AttemptHarness, patientTimeouts, useAttempts } from '../../support/bad-worker/attempt-harness.ts'
import { type CogStandIn, useCog } from '../../support/bad-worker/cog-stand-in.ts'
import { waitUntil } from '../../support/wait-until.ts'

/** A plain Cog server, and attempts that go to it. */
async function useCogWorker(): Promise<{ readonly cog: CogStandIn; readonly attempts: AttemptHarness }> {
  const cog = await useCog()
  const workers = [{ name: 'rig', url: cog.url, mode: 'cog', key: null } as const]
  return { cog, attempts: useAttempts({ workers, timeouts: { ...patientTimeouts, headersMs: 50, totalMs: 60 } }) }
}

const pure = { pure: true }

test('the connection is held open until it has ended, however long that takes', async () => {
  const { cog, attempts } = await useCogWorker()
  const { ended } = attempts.start({ ...pure, params: { prompt: 'a kiln' } })
  await waitUntil(() => cog.runs.length > 0)
  // Longer than any other request may take.
  await new Promise((resolve) => setTimeout(resolve, 300))
  cog.finish({ output: ['picture'] })
  expect(await ended).toMatchObject({ kind: 'completed', result: ['picture'], output: { tail: 'computed\n' } })
  expect(cog.runs).toEqual([expect.objectContaining({ input: { prompt: 'a kiln' }, wasCancelled: false })])
  expect(attempts.told.offered).toEqual([{ worker: 'rig', remoteId: cog.runs[0]?.id }])
})

test('only pure tasks go there', async () => {
  const { cog, attempts } = await useCogWorker()
  expect(await attempts.start({ pure: false }).ended).toMatchObject({ kind: 'returned', why: 'not_served' })
  expect(cog.asked).toEqual([])
})

test('a lost connection: it was cancelled there, and runs again', async () => {
  const { cog, attempts } = await useCogWorker()
  const { ended } = attempts.start(pure)
  await waitUntil(() => cog.runs.length === 1)
  cog.cut()
  await waitUntil(() => cog.runs.length === 2)
  cog.finish({ output: 7 })
  expect(await ended).toMatchObject({ kind: 'completed', result: 7 })
  expect(cog.runs.map(({ wasCancelled }) => wasCancelled)).toEqual([true, false])
})

test('a connection that is always lost: three runs, then back', async () => {
  const { cog, attempts } = await useCogWorker()
  const { ended } = attempts.start(pure)
  for (let runs = 1; runs <= 3; runs += 1) {
    await waitUntil(() => cog.runs.length === runs)
    cog.cut()
  }
  expect(await ended).toMatchObject({ kind: 'returned', to: 'local', why: 'unreachable' })
  expect(cog.runs.every(({ wasCancelled }) => wasCancelled)).toBe(true)
})

test('busy: it waits for its turn, then is back', async () => {
  const { cog, attempts } = await useCogWorker()
  const first = attempts.start(pure)
  await waitUntil(() => cog.runs.length === 1)
  const fence = { unitId: 'v', attempt: 1, nonce: 'n', workerId: 'w' }
  expect(await attempts.start({ ...pure, fence }).ended).toMatchObject({ kind: 'returned', why: 'busy' })
  cog.finish({ output: 1 })
  expect(await first.ended).toMatchObject({ kind: 'completed' })
  expect(cog.runs).toHaveLength(1)
})

test('failed there: failed, retried as the job says', async () => {
  const { cog, attempts } = await useCogWorker()
  const { ended } = attempts.start(pure)
  await waitUntil(() => cog.runs.length === 1)
  cog.finish({ status: 'failed', error: 'CUDA error: no kernel image' })
  expect(await ended).toMatchObject({
    kind: 'failed',
    retry: 'policy',
    error: { message: 'CUDA error: no kernel image', details: { worker: 'rig' } },
  })
})

test.each(['cancel', 'release'] as const)('%s: the connection is dropped, which cancels it there', async (reason) => {
  const { cog, attempts } = await useCogWorker()
  const { control, ended } = attempts.start(pure)
  await waitUntil(() => cog.runs.length === 1)
  control.stop(reason)
  expect(await ended).toMatchObject({ kind: 'stopped', reason })
  await waitUntil(() => cog.runs[0]?.wasCancelled === true)
})

test('the time of the unit is over: timed out, cancelled there', async () => {
  const { cog, attempts } = await useCogWorker()
  const { ended } = attempts.start({ ...pure, unitTimeoutMs: 200 })
  expect(await ended).toMatchObject({ kind: 'timed_out', which: 'unit', limitMs: 200 })
  await waitUntil(() => cog.runs[0]?.wasCancelled === true)
})

test('a manager that took over runs it again under the same id: nothing can be asked there', async () => {
  const { cog, attempts } = await useCogWorker()
  const remoteId = '5b2c0b53-0f0b-4f5e-8a55-6a1f6d1a1c11'
  const { ended } = attempts.adopt({ worker: 'rig', remoteId }, pure)
  await waitUntil(() => cog.runs.length === 1)
  cog.finish({ output: null })
  expect(await ended).toMatchObject({ kind: 'completed', result: null })
  expect(cog.asked).toEqual([`PUT /predictions/${remoteId}`])
})
