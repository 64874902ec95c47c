import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createFakeClock } from '../../support/fake-clock.ts'
import { isAlive } from '../../support/proc.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'

test('a home has the wanted path length and belongs to the user alone', () => {
  const { home, environment } = useTemporaryHome({ pathBytes: 150 })
  expect(Buffer.byteLength(home)).toBe(150)
  expect(statSync(home).mode & 0o777).toBe(0o700)
  expect(environment['NIGHTKILN_HOME']).toBe(home)
})

test('the ledger finds and kills what carries the home, also when nobody recorded it', async () => {
  const { home, environment, ledger } = useTemporaryHome()
  const child = spawn('sleep', ['60'], { env: environment, detached: true, stdio: 'ignore' })
  child.unref()
  const pid = await waitUntil(() => child.pid)
  await waitUntil(() => isAlive(pid))
  await expect(ledger.assertNothingLeft(100)).rejects.toThrow(/still running/)
  await ledger.killAll()
  expect(isAlive(pid)).toBe(false)
  await ledger.assertNothingLeft()
  expect(existsSync(home)).toBe(true)
})

test('waitUntil says what it saw last', async () => {
  await expect(waitUntil(() => null, { timeoutMs: 30, what: 'a job' })).rejects.toThrow(
    'a job did not come true within 30 ms; last seen: null',
  )
  await expect(
    waitUntil(
      () => {
        throw new Error('no file')
      },
      { timeoutMs: 30 },
    ),
  ).rejects.toThrow('last seen: no file')
  await expect(waitUntil(() => 0)).resolves.toBe(0)
})

test('a jump and a suspend move the wall clock alone', () => {
  const clock = createFakeClock(0, 0)
  clock.advance(5)
  clock.jump(-3_600_000)
  clock.suspend(1_000)
  expect([clock.now(), clock.monotonic()]).toEqual([5 - 3_600_000 + 1_000, 5])
})
