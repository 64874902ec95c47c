import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { tryAcquireLeaderLock } from '../../../src/persistence/leader-lock.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { useStateDirectory } from './support.ts'

/** As it was built: a compiler in every candidate takes longer than all the rest. */
const module = new URL('../../../dist/persistence/leader-lock.js', import.meta.url).href

/** Another process that tries to take the lock, says `held` or `refused`, and then keeps what it got. */
async function candidate(lockFile: string): Promise<{ answer: string; child: ChildProcess }> {
  const script = `
    import { tryAcquireLeaderLock } from ${JSON.stringify(module)}
    const lock = tryAcquireLeaderLock(${JSON.stringify(lockFile)})
    process.stdout.write(lock === null ? 'refused' : 'held')
    setInterval(() => lock, 1000)
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const [answer] = (await once(child.stdout, 'data')) as [Buffer]
  return { answer: answer.toString(), child }
}

describe('leader lock', () => {
  test('one holder; free again after release', async () => {
    const { lockFile } = useStateDirectory()
    const lock = tryAcquireLeaderLock(lockFile)
    expect(lock).not.toBeNull()
    expect((await candidate(lockFile)).answer).toBe('refused')
    lock?.release()
    lock?.release()
    expect((await candidate(lockFile)).answer).toBe('held')
    expect(tryAcquireLeaderLock(lockFile)).toBeNull()
  })

  test('asking again in the holder is refused and does not drop the lock', async () => {
    const { lockFile } = useStateDirectory()
    const lock = tryAcquireLeaderLock(lockFile)
    expect(tryAcquireLeaderLock(lockFile)).toBeNull()
    expect((await candidate(lockFile)).answer).toBe('refused')
    lock?.release()
  })

  test('a holder killed by SIGKILL frees it', async () => {
    const { lockFile } = useStateDirectory()
    const { answer, child } = await candidate(lockFile)
    expect(answer).toBe('held')
    expect(tryAcquireLeaderLock(lockFile)).toBeNull()
    child.kill('SIGKILL')
    const lock = await waitUntil(() => tryAcquireLeaderLock(lockFile), { what: 'the lock' })
    lock.release()
  })

  test('the lock file is private', () => {
    const { lockFile } = useStateDirectory()
    const lock = tryAcquireLeaderLock(lockFile)
    expect(statSync(lockFile).mode & 0o777).toBe(0o600)
    lock?.release()
  })
})
