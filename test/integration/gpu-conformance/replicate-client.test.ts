import Replicate from 'replicate'
import { expect, test } from 'vitest'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { startNodeWorker } from './support/node-worker.ts'

/** The client as it comes from npm; only the address is ours. */
function clientOf({ url, key }: { readonly url: URL; readonly key: string }): Replicate {
  return new Replicate({ auth: key, baseUrl: url.origin })
}

test('the replicate client creates a prediction and waits for it', async () => {
  const worker = await startNodeWorker(useTemporaryHome())
  const replicate = clientOf(worker)
  const made = await replicate.predictions.create({
    version: 'sleep',
    input: { seconds: 1, result: { from: 'worker' } },
  })
  expect(made).toMatchObject({ status: expect.stringMatching(/^(starting|processing)$/), error: null })
  const done = await replicate.wait(made, { interval: 100 })
  expect(done).toMatchObject({ id: made.id, status: 'succeeded', output: { from: 'worker' } })
  expect((await replicate.predictions.get(made.id)).output).toEqual({ from: 'worker' })
})

test('the replicate client runs a model in one call', async () => {
  const worker = await startNodeWorker(useTemporaryHome())
  const seen: string[] = []
  const output = await clientOf(worker).run(
    'nightkiln/sleep',
    { input: { seconds: 0, result: { answer: 42 } } },
    (prediction) => seen.push(prediction.status),
  )
  expect(output).toEqual({ answer: 42 })
  expect(seen.at(-1)).toBe('succeeded')
})

test('the replicate client is told why a prediction failed', async () => {
  const worker = await startNodeWorker(useTemporaryHome())
  const failing = clientOf(worker).run('nightkiln/sleep', { input: { seconds: 0, fail_with: 'as asked' } })
  await expect(failing).rejects.toThrow('Prediction failed: as asked')
})

test('the replicate client cancels a prediction', async () => {
  const worker = await startNodeWorker(useTemporaryHome())
  const replicate = clientOf(worker)
  const made = await replicate.predictions.create({ version: 'sleep', input: { seconds: 60 } })
  await replicate.predictions.cancel(made.id)
  await expect.poll(async () => (await replicate.predictions.get(made.id)).status).toBe('canceled')
})

test('the replicate client is refused with a wrong key', async () => {
  const worker = await startNodeWorker(useTemporaryHome())
  const stranger = clientOf({ ...worker, key: 'wrong-key-wrong-key' })
  await expect(stranger.predictions.get('x')).rejects.toThrow(/401/)
})
