import { writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodeFrame } from '../../../src/workers/threads/frames.ts'
import { repositoryRoot } from '../../support/repository.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { fastPace, isGone, makeJob, runningIn, type Started, useThreads } from './threads-harness.ts'

test('after a connection broke, a job is declared again while an attempt of it runs', async () => {
  const harness = useThreads()
  const manager = await harness.manager()
  manager.executor.adopted()
  const running = manager.start({ do: 'wait' })
  const broken = manager.start({ do: 'garbage' })
  const host = await runningIn(harness, running, broken)
  await waitUntil(() => harness.heard(host, 'ping').length >= 2, { what: 'a new connection' })
  for (let at = 0; at < 3; at += 1)
    expect(await manager.start({ value: at }).end()).toMatchObject({ kind: 'completed', result: at })
  expect(running.ends).toEqual([])
  expect(harness.heard(host, 'hello')).toHaveLength(2)
  expect(harness.heard(host, 'job')).toHaveLength(2)
  for (const one of [running, broken]) one.control.stop('cancel')
  for (const one of [running, broken]) expect(await one.end()).toMatchObject({ kind: 'stopped' })
})

test('the same with the host that ships, whose connection another took', async () => {
  const harness = useThreads()
  const file = join(harness.home, 'waiting.mjs')
  const api = join(repositoryRoot, 'dist', 'handler', 'index.js')
  writeFileSync(
    file,
    `import { defineHandler, z } from '${api}'
    export default defineHandler({ type: 'w', title: 'W', description: 'W', params: z.object({}), result: z.any(), reusable: true,
      async run({ unit, progress, cancellation }) { progress(1); if (unit.wait) await cancellation.wait(60_000); return unit.value ?? null } })`,
  )
  const hostEntry = join(repositoryRoot, 'dist', 'workers', 'thread-host', 'host-main.js')
  const manager = await harness.manager({ hostEntry })
  manager.executor.adopted()
  const job = { handler: { ...makeJob(harness.home).handler, type: 'w', file } }
  const running = manager.start({ wait: true }, {}, job)
  await waitUntil(() => running.progress.length > 0)
  const { socket } = harness.record(harness.hosts()[0] ?? '')
  for (let round = 0; round < 2; round += 1) {
    const intruder = createConnection(socket)
    intruder.write(encodeFrame([{ kind: 'hello', protocol: 1, epoch: 1_000, version: '' }]))
    await new Promise((resolve) => intruder.once('data', resolve))
    intruder.destroy()
    const next = manager.start({ value: round }, {}, job)
    expect(await next.end()).toMatchObject({ kind: 'completed', result: round })
  }
  expect(running.ends).toEqual([])
  running.control.stop('cancel')
  expect(await running.end()).toMatchObject({ kind: 'stopped' })
})

test('a host that can never be understood is ended, and its attempts are judged', async () => {
  const harness = useThreads()
  const manager = await harness.manager()
  manager.executor.adopted()
  const attempts = [manager.start({ do: 'wait' }), manager.start({ do: 'garbage_again' })]
  const host = await runningIn(harness, ...attempts)
  const { pid } = harness.record(host)
  for (const one of attempts) expect(await one.end()).toMatchObject({ kind: 'lost', countsAsCrash: false })
  expect(isGone(pid)).toBe(true)
  const messages = harness.log.map(({ message }) => message)
  expect(messages.filter((message) => message.includes('what a thread host said cannot be read'))).toHaveLength(3)
  expect(messages.some((message) => message.includes('on one connection after the other'))).toBe(true)
})

test('an attempt that its host has lost is given back, or is lost when it ran', async () => {
  const harness = useThreads()
  const manager = await harness.manager({ pace: { ...fastPace, missingMs: 250 } })
  manager.executor.adopted()
  const [kept, unrun, run] = manager.startAll([
    { do: 'wait' },
    { do: 'lose' },
    { do: 'lose', output: 'it wrote this' },
  ]) as [Started, Started, Started]
  expect(await unrun.end()).toMatchObject({ kind: 'released', message: 'the thread host has lost it' })
  expect(await run.end()).toMatchObject({ kind: 'lost', countsAsCrash: false })
  expect(harness.log.filter(({ message }) => message.includes('has lost an attempt'))).toHaveLength(2)
  expect(kept.ends).toEqual([])
  kept.control.stop('cancel')
  await kept.end()
})
