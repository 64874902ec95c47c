import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { fastPace, isGone, runningIn, useThreads } from './threads-harness.ts'

test('a host that dies at its start is tried five times; then what waits is given back', async () => {
  const harness = useThreads()
  harness.plan({ start: 'die' })
  const manager = await harness.manager()
  manager.executor.adopted()
  const attempt = manager.start({ do: 'return' })
  expect(await attempt.end()).toMatchObject({
    kind: 'released',
    backOff: true,
    message: expect.stringMatching(/several times.*ended with code 3: FATAL ERROR: told to die at its start/),
  })
  const deaths = harness.log.filter(({ message }) => message.startsWith('a thread host ended with code 3'))
  expect(deaths).toHaveLength(5)
  await waitUntil(() => harness.hosts().length === 0)
  harness.plan({})
  // Within the minute nothing more is tried.
  expect(await manager.start({ do: 'return' }).end()).toMatchObject({ kind: 'released', backOff: true })
  expect(harness.hosts()).toEqual([])
})

test('a host that never gets ready is killed, and the next one takes what waits', async () => {
  const harness = useThreads()
  harness.plan({ start: 'never' })
  const manager = await harness.manager({ pace: { ...fastPace, readyMs: 300 } })
  manager.executor.adopted()
  const attempt = manager.start({ do: 'return', value: 'at last' })
  await waitUntil(() => harness.log.some(({ message }) => message.includes('did not get ready')))
  harness.plan({})
  expect(await attempt.end()).toMatchObject({ kind: 'completed', result: 'at last' })
  expect(manager.executor.status()).toHaveLength(1)
})

test('when no process can be started what waits is given back at once', async () => {
  const harness = useThreads()
  const environment = { PATH: 'x'.repeat(4 * 1024 * 1024) }
  const manager = await harness.manager({ environment })
  manager.executor.adopted()
  expect(await manager.start({ do: 'return' }).end()).toMatchObject({
    kind: 'released',
    backOff: true,
    message: expect.stringContaining('cannot be started'),
  })
  expect(harness.hosts()).toEqual([])
})

test('a host is made beforehand when that is asked for, and one only', async () => {
  const harness = useThreads()
  const manager = await harness.manager()
  manager.executor.adopted()
  manager.executor.warm()
  manager.executor.warm()
  await waitUntil(() => manager.executor.status()[0]?.threads === 2)
  const attempt = manager.start({ do: 'return' })
  await attempt.end()
  expect(harness.hosts()).toEqual([await runningIn(harness, attempt)])
})

test('a manager that leaves ends a host without an attempt, also one that has just been started', async () => {
  const harness = useThreads()
  const first = await harness.manager()
  first.executor.adopted()
  const attempt = first.start({ do: 'return' })
  await attempt.end()
  first.executor.acknowledge([attempt.fence])
  const [{ pid } = { pid: 0 }] = first.executor.status()
  first.executor.detach()
  await waitUntil(() => isGone(pid))

  const second = await harness.manager()
  second.executor.adopted()
  second.executor.warm()
  const started = await waitUntil(() => second.executor.status()[0])
  second.executor.detach()
  await waitUntil(() => isGone(started.pid))
  const third = await harness.manager()
  third.executor.adopted()
  await waitUntil(() => harness.hosts().length === 0)
})

test('in a state directory with a long path the socket lies elsewhere', async () => {
  const { home } = useTemporaryHome({ pathBytes: 120 })
  const harness = useThreads()
  const paths = { ...harness.paths, home, hosts: join(home, 'hosts') }
  const manager = await harness.manager({ paths })
  manager.executor.adopted()
  const attempt = manager.start({ do: 'return', value: 1 })
  expect(await attempt.end()).toMatchObject({ kind: 'completed', result: 1 })
  const [host = ''] = readdirSync(paths.hosts)
  const { socket } = JSON.parse(readFileSync(join(paths.hosts, host, 'host.json'), 'utf8')) as { socket: string }
  onTestFinished(() => rmSync(dirname(socket), { recursive: true, force: true }))
  expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(100)
  expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700)
})
