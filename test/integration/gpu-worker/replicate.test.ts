import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Replicate from 'replicate'
import { expect, test } from 'vitest'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { sleepInput, useWorker } from './worker-harness.ts'

const key = 'a-key-of-a-test-0123456789'

async function useReplicate() {
  const { home } = useTemporaryHome()
  const keyFile = join(home, 'test.key')
  writeFileSync(keyFile, key, { mode: 0o600 })
  const { worker } = await useWorker({ home, keyFile })
  return new Replicate({ auth: key, baseUrl: worker.url })
}

test('the unmodified client of Replicate creates a prediction and waits for it', async () => {
  const replicate = await useReplicate()
  const created = await replicate.predictions.create({
    version: 'sleep',
    input: { seconds: 0.2, result: { done: true } },
  })
  expect(created).toMatchObject({ status: 'processing', model: 'sleep' })
  const done = await replicate.wait(created, { interval: 50 })
  expect(done).toMatchObject({ status: 'succeeded', output: { done: true } })
})

test('it names a model, runs it in one call, and may send a whole input', async () => {
  const replicate = await useReplicate()
  expect(await replicate.run('nightkiln/sleep', { input: { seconds: 0, result: ['a', 1] } })).toEqual(['a', 1])
  const whole = sleepInput(0, { params: { seconds: 0, result: 'whole' } })
  const created = await replicate.predictions.create({ version: 'anything', input: whole, wait: 5 })
  expect(created).toMatchObject({ status: 'succeeded', output: 'whole' })
})

test('it cancels, and hears of what is not served', async () => {
  const replicate = await useReplicate()
  const created = await replicate.predictions.create({ model: 'nightkiln/sleep', input: { seconds: 60 } })
  await replicate.predictions.cancel(created.id)
  expect((await replicate.wait(created, { interval: 50 })).status).toBe('canceled')
  await expect(replicate.predictions.create({ version: 'nothing', input: {} })).rejects.toThrow('422')
})
