import { spawnSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { CommandTask } from '../../../src/domain/ports/executor.ts'
import { AttemptInput } from '../../../src/workers/attempt-input.ts'
import type { ExecutorContext } from '../../../src/workers/executor-context.ts'

/** The pipe of an interactive command with somebody who reads. */
function openPipe() {
  const directory = mkdtempSync(join(tmpdir(), 'nk-input-'))
  const pipe = join(directory, 'input')
  spawnSync('mkfifo', [pipe])
  const descriptor = openSync(pipe, constants.O_RDWR)
  writeFileSync(join(directory, 'input.ready'), '')
  onTestFinished(() => {
    closeSync(descriptor)
    rmSync(directory, { recursive: true })
  })
  const read = () => {
    const buffer = Buffer.alloc(100)
    return buffer.toString('utf8', 0, readSync(descriptor, buffer))
  }
  return { directory, read }
}

const task = { jobId: 'job-1', spec: { interactive: true } } as CommandTask

test.each([
  ['the command ended over it', { over: true, detached: false }],
  ['the manager is stopping', { over: false, detached: true }],
])('what was taken whole is told as taken, although meanwhile %s: it is not sent again', async (_what, meanwhile) => {
  const { directory, read } = openPipe()
  let looks = 0
  const isLater = () => looks > 1
  const context = {
    clock: { now: () => 0, monotonic: () => performance.now() },
    detached: () => isLater() && meanwhile.detached,
  } as unknown as ExecutorContext
  const isOver = () => {
    looks += 1
    return isLater() && meanwhile.over
  }
  const input = new AttemptInput({ context, task, directory, isOver, isFrozen: () => false })
  expect(await input.send('yes\n', false)).toBe(4)
  expect(read()).toBe('yes\n')
  await expect(input.send('again\n', false)).rejects.toMatchObject({
    code: meanwhile.over ? 'invalid_transition' : 'manager_unavailable',
  })
})
