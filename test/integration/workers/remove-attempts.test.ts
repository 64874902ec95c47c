import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { removeAttempts, sweepAttempts } from '../../../src/workers/remove-attempts.ts'
import { unitIdOf } from '../../conformance/support/jobs.ts'

const boot = 'boot-1.instance-1'

function openAttempts() {
  const home = mkdtempSync(join(tmpdir(), 'nk-remove-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  const paths = { attempts: join(home, 'attempts') }
  mkdirSync(paths.attempts)
  const nameOf = (number: number, attempt = 1) => ({ unitId: unitIdOf(number, 0), attempt, nonce: 'abc123' })
  return {
    home,
    paths,
    nameOf,
    make(number: number, files: Readonly<Record<string, string>> = {}) {
      const directory = join(paths.attempts, `${unitIdOf(number, 0)}.1.abc123`)
      mkdirSync(join(directory, 'sub'), { recursive: true })
      writeFileSync(join(directory, 'output'), 'text')
      for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text)
      return directory
    },
    left: () => readdirSync(paths.attempts),
  }
}

/** @returns the pid of a process that lives until the test ends. */
function livingProcess(): number {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child.pid ?? 0
}

test('removes the directories of the attempts that were named, and no other', async () => {
  const { paths, nameOf, make, left } = openAttempts()
  make(1)
  const kept = make(2)
  expect(await removeAttempts(paths, boot, [nameOf(1), nameOf(1, 2), nameOf(3)])).toBe(1)
  expect(left()).toEqual([kept.split('/').at(-1)])
})

test('a link is removed, never followed', async () => {
  const { home, paths, nameOf, make } = openAttempts()
  const precious = join(home, 'precious')
  mkdirSync(precious)
  writeFileSync(join(precious, 'file'), 'mine')
  symlinkSync(precious, join(paths.attempts, `${unitIdOf(1, 0)}.1.abc123`))
  const directory = make(2)
  symlinkSync(precious, join(directory, 'inside'))
  expect(await removeAttempts(paths, boot, [nameOf(1), nameOf(2)])).toBe(2)
  expect(existsSync(join(precious, 'file'))).toBe(true)
})

test('attempts that were replaced by a link are not entered', async () => {
  const { home, paths, nameOf, make } = openAttempts()
  make(1)
  const elsewhere = { attempts: join(home, 'link') }
  symlinkSync(paths.attempts, elsewhere.attempts)
  expect(await removeAttempts(elsewhere, boot, [nameOf(1)])).toBe(0)
  expect(await sweepAttempts(elsewhere, boot, async () => [])).toBe(0)
})

test('a runner that lives keeps its directory; one that ended, of another boot or gone does not', async () => {
  const { paths, nameOf, make, left } = openAttempts()
  const pid = livingProcess()
  const running = make(1, { pid: `pid ${pid} ${boot}\n` })
  make(2, { pid: `pid ${pid} ${boot}\n`, exit: `exit 0 ${boot}\n` })
  make(3, { pid: `pid ${pid} boot-0.instance-1\n` })
  make(4, { pid: `pid 4194304 ${boot}\n` })
  expect(
    await removeAttempts(
      paths,
      boot,
      [1, 2, 3, 4].map((number) => nameOf(number)),
    ),
  ).toBe(3)
  expect(left()).toEqual([running.split('/').at(-1)])
  expect(await sweepAttempts(paths, boot, async () => [])).toBe(0)
})

test('a sweep removes what no unit has any more, and nothing that is not named as an attempt', async () => {
  const { paths, make, left } = openAttempts()
  for (let number = 1; number <= 250; number += 1) make(number)
  mkdirSync(join(paths.attempts, 'notes'))
  writeFileSync(join(paths.attempts, `${unitIdOf(1, 0)}.txt`), '')
  const known = [unitIdOf(7, 0), unitIdOf(249, 0)]
  const asked: number[] = []
  const removed = await sweepAttempts(paths, boot, async (ids) => {
    asked.push(ids.length)
    return ids.filter((id) => known.includes(id))
  })
  expect(removed).toBe(248)
  expect(left().sort()).toEqual([...known.map((id) => `${id}.1.abc123`), `${unitIdOf(1, 0)}.txt`, 'notes'].sort())
  expect(Math.max(...asked)).toBeLessThanOrEqual(200)
})

test('without an attempts directory there is nothing to do', async () => {
  const { home, nameOf } = openAttempts()
  const none = { attempts: join(home, 'none') }
  expect(await removeAttempts(none, boot, [nameOf(1)])).toBe(0)
  expect(await sweepAttempts(none, boot, async () => [])).toBe(0)
})
