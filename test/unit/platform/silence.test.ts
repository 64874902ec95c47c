import { spawn } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import { type ProcessActivity, readProcessActivity } from '../../../src/platform/process-activity.ts'
import { Silence } from '../../../src/platform/silence.ts'
import { waitUntil } from '../../support/wait-until.ts'

const allowedMs = 700

/** A suspect whose activity the test sets. */
function suspect(first: ProcessActivity | null) {
  const current = { activity: first }
  return { current, silence: new Silence(() => current.activity) }
}

test('a stopped or sleeping suspect is silent with every probe', () => {
  const { silence } = suspect({ runnable: false, cpuMs: 100 })
  expect([1, 2, 3].map(() => silence.add(allowedMs, allowedMs))).toEqual([1, 2, 3])
})

test('a suspect that waits for a processor is not judged until it has had its share', () => {
  const { current, silence } = suspect({ runnable: true, cpuMs: 100 })
  for (let probe = 0; probe < 50; probe += 1) expect(silence.add(allowedMs, allowedMs)).toBe(0)
  current.activity = { runnable: true, cpuMs: 100 + allowedMs / 2 }
  expect(silence.add(allowedMs, allowedMs)).toBe(1)
  expect(silence.add(allowedMs, allowedMs)).toBe(1)
  current.activity = { runnable: true, cpuMs: 100 + allowedMs }
  expect(silence.add(allowedMs, allowedMs)).toBe(2)
})

test('a probe that came back late says nothing, and an answer starts the count again', () => {
  const { silence } = suspect(null)
  expect(silence.add(allowedMs, allowedMs * 2)).toBe(0)
  expect(silence.add(allowedMs, allowedMs)).toBe(1)
  silence.reset()
  expect(silence.add(allowedMs, allowedMs)).toBe(1)
})

test.runIf(process.platform === 'linux')('the activity of a real process is read', async () => {
  const looping = spawn(process.execPath, ['-e', 'for(;;);'], { stdio: 'ignore' })
  onTestFinished(() => {
    looping.kill('SIGKILL')
  })
  const pid = looping.pid ?? 0
  await waitUntil(() => (readProcessActivity(pid)?.cpuMs ?? 0) > 200)
  expect(readProcessActivity(pid)?.runnable).toBe(true)
  process.kill(pid, 'SIGSTOP')
  await waitUntil(() => readProcessActivity(pid)?.runnable === false)
  expect(readProcessActivity(2 ** 30)).toBeNull()
})
