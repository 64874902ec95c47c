import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/domain/clock.ts'
import { sha256Of } from '../../../src/gpu-client/conformance/probe.ts'
import { createWorkerClient } from '../../../src/gpu-client/http/create-worker-client.ts'
import { defaultTimeouts } from '../../../src/gpu-client/http/timeouts.ts'
import { type TemporaryHome, useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { startNodeWorker } from './support/node-worker.ts'
import { python, startPythonWorker } from './support/python-worker.ts'
import type { RunningWorker } from './support/running-worker.ts'

const workers: readonly (readonly [string, (home: TemporaryHome) => Promise<RunningWorker>])[] = [
  ['of this package', (home) => startNodeWorker(home)],
  ...(python === null
    ? []
    : [['in Python', (home: TemporaryHome) => startPythonWorker(join(home.home, 'python'))] as const]),
]

test.each(workers)('the client of the manager gets along with the worker %s', async (_, start) => {
  const home = useTemporaryHome()
  const { url, key } = await start(home)
  const client = createWorkerClient({
    worker: 'one',
    url: url.href,
    readKey: async () => key,
    ca: null,
    timeouts: defaultTimeouts,
    clock: systemClock,
  })
  onTestFinished(() => client.close())
  const served = (await client.health()).job_types['sleep']
  const bodyOf = (params: unknown, token: string): string =>
    JSON.stringify({
      input: {
        type: 'sleep',
        version: served?.version,
        params,
        job_id: 'job',
        unit_id: 'unit',
        position: 0,
        attempt: 1,
        attempt_token: token,
        seed: 7,
      },
    })

  const first = { remoteId: 'first', attemptToken: 'token-1' }
  const request = { ...first, body: bodyOf({ seconds: 0, result: { all: 'well' } }, 'token-1'), leaseSeconds: 60 }
  await client.put(request)
  const done = await waitUntil(async () => {
    const seen = await client.get({ ...first, logsFrom: 0, leaseSeconds: 60 })
    return seen?.completed_at === null ? null : seen
  })
  expect(done).toMatchObject({ status: 'succeeded', output: { all: 'well' } })
  expect((await client.put(request)).completed_at).toBe(done.completed_at)
  await expect(client.get({ ...first, attemptToken: 'other', logsFrom: 0, leaseSeconds: null })).rejects.toMatchObject({
    kind: 'protocol',
    code: 'WRONG_TOKEN',
  })

  const bytes = randomBytes(300 * 1024)
  const hash = sha256Of(bytes)
  expect(await client.hasFile(hash)).toBe(false)
  await client.putFile(hash, bytes)
  expect(await client.hasFile(hash)).toBe(true)
  await client.fetchFile(hash, bytes.length, join(home.home, 'fetched'))
  expect(sha256Of(readFileSync(join(home.home, 'fetched')))).toBe(hash)

  const second = { remoteId: 'second', attemptToken: 'token-2' }
  await client.put({ ...second, body: bodyOf({ seconds: 60 }, 'token-2'), leaseSeconds: 60 })
  await expect(
    client.put({ remoteId: 'third', attemptToken: 'x', body: bodyOf({ seconds: 1 }, 'x'), leaseSeconds: 60 }),
  ).rejects.toMatchObject({ kind: 'busy', retryAfterMs: 2_000 })
  await client.cancel(second)
  await expect
    .poll(async () => (await client.get({ ...second, logsFrom: 0, leaseSeconds: null }))?.status)
    .toBe('canceled')
  await client.forget('second')
  expect(await client.get({ ...second, logsFrom: 0, leaseSeconds: null })).toBeNull()
  await client.forget('second')
})
