import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { createApi } from '../../../src/manager/api/create-api.ts'
import { isAnsweredWhileDraining } from '../../../src/manager/api/operation-handlers.ts'
import { listen } from '../../../src/manager/process/listener.ts'
import { IdleExit } from '../../../src/manager/runtime/idle-exit.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { createOutbox } from './outbox.ts'

test('an open event stream keeps an idle manager, and nothing else of a listener does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nk-idle-'))
  const socketPath = join(folder, 'manager')
  const { context } = createOutbox(1)
  const listener = await listen(createApi({ context, log: pino({ level: 'silent' }) }), socketPath)
  const clock = createFakeClock()
  let looks = 0
  let exits = 0
  const isNeeded = () => {
    looks += 1
    return listener.connections() > 0
  }
  const idle = new IdleExit({ clock, idleMs: 200, isNeeded, exit: () => (exits += 1) })
  onTestFinished(async () => {
    idle.stop()
    await listener.close(0)
    rmSync(folder, { recursive: true })
  })
  const stream = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ socketPath, path: '/v1/events', agent: false }, resolve).on('error', reject)
  })
  await once(stream, 'readable')
  idle.start()
  for (let quiet = 0; quiet < 5; quiet += 1) {
    clock.advance(1_000)
    const seen = looks
    await expect.poll(() => looks).toBeGreaterThan(seen)
  }
  expect(exits).toBe(0)
  stream.on('error', () => undefined).destroy()
  await expect.poll(() => listener.connections()).toBe(0)
  clock.advance(1_000)
  await expect.poll(() => exits).toBeGreaterThan(0)
})

test('a stopping manager makes no tasks and starts nothing for one, but tells of them and cancels', () => {
  const answered = ['create_task', 'decide_task', 'get_task', 'cancel_task'] as const
  expect(answered.map(isAnsweredWhileDraining)).toEqual([false, false, true, true])
})
