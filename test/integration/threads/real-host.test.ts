import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { HandlerJob } from '../../../src/domain/ports/thread-executor.ts'
import { allPids, isAlive } from '../../support/proc.ts'
import { repositoryRoot } from '../../support/repository.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { type Harness, instanceId, isGone, type Manager, makeJob, type Started, useThreads } from './threads-harness.ts'

const api = join(repositoryRoot, 'dist', 'handler', 'index.js')
const standInManager = fileURLToPath(new URL('./stand-in-manager.ts', import.meta.url))

/** A handler that does what its unit says. */
const code = `
import { setTimeout as sleep } from 'node:timers/promises'
import { writeFileSync } from 'node:fs'
import { defineHandler, z } from '${api}'
export default defineHandler({
  type: 'puppet', title: 'Puppet', description: 'Does as it is told.', params: z.object({}), result: z.any(),
  async run({ unit, lastCheckpoint, checkpoint, cancellation, progress, spawn }) {
    if (unit.checkpoint !== undefined) checkpoint(unit.checkpoint)
    progress(1, 2, 'begun')
    if (unit.file !== undefined) writeFileSync(unit.file, String(process.pid))
    if (unit.do === 'wait') await cancellation.wait(60_000)
    if (unit.do === 'sleep') await sleep(unit.ms)
    if (unit.do === 'spawn') await spawn('sleep', ['600'])
    if (unit.do === 'block') for (;;);
    return { value: unit.value ?? null, lastCheckpoint }
  },
})
`

interface RealHarness extends Harness {
  job(): Partial<HandlerJob>
  real(): Promise<Manager>
  /** Waits until the handler of an attempt has written its file. @returns the pid of its host */
  begun(file: string): Promise<number>
}

function useRealHost(): RealHarness {
  const harness = useThreads()
  const file = join(harness.home, 'puppet.mjs')
  writeFileSync(file, code)
  const { handler } = makeJob(harness.home)
  return {
    ...harness,
    job: () => ({ handler: { ...handler, type: 'puppet', file, reusable: false } }),
    real: () => harness.manager({ hostEntry: join(repositoryRoot, 'dist', 'workers', 'thread-host', 'host-main.js') }),
    begun: (name) =>
      waitUntil(() => Number(readFileSync(join(harness.home, name), 'utf8')) || null, { what: 'the handler to begin' }),
  }
}

async function opened(harness: RealHarness): Promise<Manager> {
  const manager = await harness.real()
  manager.executor.adopted()
  return manager
}

test('an attempt goes on under the next manager, which is told its end', async () => {
  const harness = useRealHost()
  const first = await opened(harness)
  const file = join(harness.home, 'begun')
  const attempts = first.startAll(
    [{ do: 'wait', file, checkpoint: { page: 3 } }, { do: 'sleep', ms: 300, value: 'late' }, { value: 'early' }],
    harness.job(),
  )
  const pid = await harness.begun('begun')
  await attempts[2]?.end()
  first.executor.detach()
  const second = await harness.real()
  const [waiting, late, early] = attempts.map(({ fence }) => second.adopt(fence)) as [Started, Started, Started]
  second.executor.adopted()
  expect(await early.end()).toMatchObject({ kind: 'completed', result: { value: 'early' } })
  expect(await late.end()).toMatchObject({ kind: 'completed', result: { value: 'late' } })
  expect(second.executor.status()).toMatchObject([{ pid, attempts: 1 }])
  waiting.control.stop('release')
  expect(await waiting.end()).toMatchObject({ kind: 'stopped', reason: 'release', checkpoint: { page: 3 } })
})

test('a manager that is killed: what its host ended meanwhile and what still runs', async () => {
  const harness = useRealHost()
  const file = join(harness.home, 'begun')
  const order = {
    home: harness.home,
    instanceId,
    units: [
      { do: 'wait', file, checkpoint: 1 },
      { do: 'sleep', ms: 500, value: 'alone' },
    ],
    job: { ...makeJob(harness.home), ...harness.job() },
  }
  const entry = join(repositoryRoot, 'node_modules', 'tsx', 'dist', 'esm', 'index.mjs')
  const child = spawn(process.execPath, ['--import', entry, standInManager, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const fences: Started['fence'][] = await new Promise((resolve) => {
    child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(JSON.parse(text)))
  })
  const pid = await harness.begun('begun')
  child.kill('SIGKILL')
  await waitUntil(() => isGone(child.pid ?? 0))
  expect(isAlive(pid)).toBe(true)
  const manager = await harness.real()
  const [waiting, ended] = fences.map((fence) => manager.adopt(fence)) as [Started, Started]
  manager.executor.adopted()
  expect(await ended.end()).toMatchObject({ kind: 'completed', result: { value: 'alone' } })
  process.kill(pid, 'SIGKILL')
  expect(await waiting.end()).toMatchObject({ kind: 'lost', countsAsCrash: true, checkpoint: 1 })
})

test('a host that is killed with its manager away is judged by the next one', async () => {
  const harness = useRealHost()
  const first = await opened(harness)
  const attempts = first.startAll(
    [
      { do: 'wait', file: join(harness.home, 'one') },
      { do: 'wait', file: join(harness.home, 'two') },
    ],
    harness.job(),
  )
  const pid = await harness.begun('one')
  await harness.begun('two')
  first.executor.detach()
  process.kill(pid, 'SIGKILL')
  const second = await harness.real()
  const adopted = attempts.map(({ fence }) => second.adopt(fence))
  second.executor.adopted()
  for (const one of adopted) expect(await one.end()).toMatchObject({ kind: 'lost', countsAsCrash: false })
  second.executor.acknowledge(adopted.map(({ fence }) => fence))
  await waitUntil(() => harness.hosts().length === 0)
})

test('an attempt in an endless loop is stopped, and the other one goes on', async () => {
  const harness = useRealHost()
  const manager = await opened(harness)
  const [looping, other] = manager.startAll(
    [
      { do: 'block', file: join(harness.home, 'loop') },
      { do: 'wait', file: join(harness.home, 'other') },
    ],
    harness.job(),
  ) as [Started, Started]
  const pid = await harness.begun('loop')
  await harness.begun('other')
  looping.control.stop('cancel')
  expect(await looping.end()).toMatchObject({ kind: 'stopped', reason: 'cancel' })
  expect(other.ends).toEqual([])
  expect(isAlive(pid)).toBe(true)
  other.control.stop('cancel')
  await other.end()
})

test('programs of the attempts of a dead host are gone before the ends are told', async () => {
  const harness = useRealHost()
  const manager = await opened(harness)
  const attempt = manager.start({ do: 'spawn', file: join(harness.home, 'begun') }, {}, harness.job())
  const pid = await harness.begun('begun')
  const mark = `NIGHTKILN_ATTEMPT_UNIT=${attempt.fence.unitId}`
  const program = await waitUntil(() => marked(mark)[0], { what: 'the program of the handler' })
  process.kill(pid, 'SIGKILL')
  expect(await attempt.end()).toMatchObject({ kind: 'lost', countsAsCrash: true })
  expect(isGone(program)).toBe(true)
})

/** Looks by itself, not with the code under test. */
function marked(mark: string): readonly number[] {
  return allPids().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark) && isAlive(pid)
    } catch {
      return false
    }
  })
}
