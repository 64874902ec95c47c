import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Json } from '../../../src/domain/job.ts'
import { readStat } from '../../support/proc.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { fastPace, type Harness, isGone, type Manager, runningIn, type Started, useThreads } from './threads-harness.ts'

const output = { bytes: 0, droppedBytes: 0, tail: '' }

/** A manager that starts these units and leaves when a host has them. */
async function leftBehind(harness: Harness, units: readonly Json[]) {
  const manager = await harness.manager()
  manager.executor.adopted()
  const attempts = manager.startAll(units)
  const host = await runningIn(harness, ...attempts)
  manager.executor.detach()
  return { attempts, host, record: harness.record(host) }
}

function adoptAll(manager: Manager, attempts: readonly Started[], elapsedMs?: number): readonly Started[] {
  const adopted = attempts.map(({ fence }) => manager.adopt(fence, elapsedMs))
  manager.executor.adopted()
  return adopted
}

test('attempts of a host that lives go on under the next manager', async () => {
  const harness = useThreads()
  const { attempts, host, record } = await leftBehind(harness, [{ do: 'wait' }, { do: 'return', value: 5 }])
  const manager = await harness.manager({ pace: fastPace })
  const [running, ended] = adoptAll(manager, attempts, 5_000) as [Started, Started]
  expect(await ended.end()).toMatchObject({ kind: 'completed', result: 5 })
  expect(running.control.elapsedMs()).toBeGreaterThanOrEqual(5_000)
  expect(manager.executor.status()).toMatchObject([{ pid: record.pid, attempts: 1 }])
  running.control.stop('cancel')
  expect(await running.end()).toMatchObject({ kind: 'stopped', reason: 'cancel' })
  manager.executor.acknowledge([running.fence, ended.fence])
  const next = manager.start({ do: 'return' })
  await next.end()
  expect(await runningIn(harness, next)).toBe(host)
  expect(attempts.flatMap(({ ends }) => ends).filter(({ kind }) => kind === 'stopped')).toEqual([])
})

test('what nobody claims is stopped and forgotten, ended or not', async () => {
  const harness = useThreads()
  const { attempts, host } = await leftBehind(harness, [{ do: 'wait' }, { do: 'return' }, { do: 'wait' }])
  const [forgotten, ended, kept] = attempts as [Started, Started, Started]
  const manager = await harness.manager()
  const [adopted] = adoptAll(manager, [kept]) as [Started]
  await waitUntil(() => {
    const keys = harness.heard(host, 'acknowledge').flatMap((one) => one['keys'] as string[])
    return keys.includes(forgotten.key) && keys.includes(ended.key)
  })
  const stopped = harness.heard(host, 'stop').map((one) => one['key'])
  expect([stopped.includes(forgotten.key), stopped.includes(kept.key)]).toEqual([true, false])
  expect(adopted.ends).toEqual([])
})

test('until all are claimed nothing is stopped', async () => {
  const harness = useThreads()
  const { attempts, host } = await leftBehind(harness, [{ do: 'wait' }, { do: 'return', value: 1 }])
  const [running, ended] = attempts as [Started, Started]
  const manager = await harness.manager({ pace: fastPace })
  const early = manager.adopt(running.fence)
  await waitUntil(() => early.control.elapsedMs() > 300)
  expect(harness.heard(host, 'stop')).toEqual([])
  const late = manager.adopt(ended.fence)
  manager.executor.adopted()
  expect(await late.end()).toMatchObject({ kind: 'completed', result: 1 })
  expect(harness.heard(host, 'acknowledge')).toEqual([])
})

test('a host that died meanwhile: its record of ends counts, its one other attempt crashed', async () => {
  const harness = useThreads()
  const { attempts, record } = await leftBehind(harness, [
    { do: 'return', value: 'late', after_ms: 300 },
    { do: 'wait', checkpoint: 3 },
  ])
  const [ended, lost] = attempts as [Started, Started]
  const host = await runningIn(harness, ended)
  await waitUntil(() => harness.heard(host, 'hello').length > 0 && journalOf(harness, host) > 0)
  await waitUntil(() => existsSync(join(harness.directory(lost), 'checkpoint.json')))
  process.kill(record.pid, 'SIGKILL')
  const manager = await harness.manager()
  const [first, second] = adoptAll(manager, [ended, lost]) as [Started, Started]
  expect(await first.end()).toMatchObject({ kind: 'completed', result: 'late' })
  expect(await second.end()).toMatchObject({ kind: 'lost', countsAsCrash: true, checkpoint: 3 })
  manager.executor.acknowledge([first.fence, second.fence])
  await waitUntil(() => harness.hosts().length === 0)
})

function journalOf(harness: Harness, host: string): number {
  return readFileSync(join(harness.paths.hosts, host, 'ends.jsonl'), 'utf8').length
}

test('a host that died meanwhile with several: none is counted, and what was never handed over is given back', async () => {
  const harness = useThreads()
  const { attempts, record } = await leftBehind(harness, [{ do: 'wait' }, { do: 'wait' }])
  process.kill(record.pid, 'SIGKILL')
  const manager = await harness.manager()
  const fence = { unitId: 'unit-never', attempt: 1, nonce: 'abc', workerId: 'worker' }
  const never = manager.adopt(fence)
  expect(await never.end()).toMatchObject({ kind: 'released', backOff: false })
  const suspects = attempts.map((one) => manager.adopt(one.fence))
  expect(suspects.flatMap(({ ends }) => ends)).toEqual([])
  manager.executor.adopted()
  for (const suspect of suspects) expect(await suspect.end()).toMatchObject({ kind: 'lost', countsAsCrash: false })
})

test('a host that dies while it is being adopted is judged when all its attempts are claimed', async () => {
  const harness = useThreads()
  const { attempts, record } = await leftBehind(harness, [{ do: 'wait' }, { do: 'wait' }])
  const [first, second] = attempts as [Started, Started]
  const manager = await harness.manager()
  const early = manager.adopt(first.fence)
  process.kill(record.pid, 'SIGKILL')
  await waitUntil(() => manager.executor.status().length === 0)
  // Each takes as long as judging would.
  for (const unitId of ['unit-a', 'unit-b', 'unit-c']) {
    mkdirSync(join(harness.paths.attempts, `${unitId}.1.abc`))
    const unknown = manager.adopt({ unitId, attempt: 1, nonce: 'abc', workerId: 'worker' })
    expect(await unknown.end()).toMatchObject({ kind: 'lost', countsAsCrash: false })
  }
  expect(early.ends).toEqual([])
  const late = manager.adopt(second.fence)
  manager.executor.adopted()
  for (const one of [early, late]) expect(await one.end()).toMatchObject({ kind: 'lost', countsAsCrash: false })
})

test.each([
  ['unclaimed', { kind: 'released', backOff: false, message: expect.stringContaining('no manager came') }],
  ['memory', { kind: 'lost', countsAsCrash: true, message: expect.stringContaining('no manager came') }],
])('last words of an earlier host are heeded: %s', async (reason, expected) => {
  const harness = useThreads()
  const { attempts, host, record } = await leftBehind(harness, [{ do: 'wait' }])
  process.kill(record.pid, 'SIGKILL')
  const words = { reason, culprit: null, message: 'no manager came for 30 min' }
  writeFileSync(join(harness.paths.hosts, host, 'last-words.json'), JSON.stringify(words))
  const [one] = adoptAll(await harness.manager(), attempts) as [Started]
  expect(await one.end()).toMatchObject(expected)
})

test('after a restart of the machine attempts are lost and not counted, whatever was written down', async () => {
  const harness = useThreads()
  const { attempts, host, record } = await leftBehind(harness, [{ do: 'wait', checkpoint: 9 }, { do: 'wait' }])
  const [first, second] = attempts as [Started, Started]
  await waitUntil(() => existsSync(join(harness.directory(first), 'checkpoint.json')))
  process.kill(record.pid, 'SIGKILL')
  const directory = join(harness.paths.hosts, host)
  const end = { kind: 'completed', result: 1, artifacts: [], elapsedMs: 1, output }
  appendFileSync(join(directory, 'ends.jsonl'), `${JSON.stringify({ key: second.key, end })}\n`)
  writeFileSync(join(directory, 'host.json'), JSON.stringify({ ...harness.record(host), boot_id: 'an earlier one' }))
  const manager = await harness.manager()
  const unknown = manager.adopt({ unitId: 'unit-unknown', attempt: 1, nonce: 'abc', workerId: 'worker' })
  const adopted = adoptAll(manager, [first, second])
  for (const one of [...adopted, unknown]) {
    expect(await one.end()).toMatchObject({
      kind: 'lost',
      countsAsCrash: false,
      message: expect.stringContaining('restarted'),
    })
  }
  expect(adopted[0]?.ends[0]).toMatchObject({ checkpoint: 9 })
})

test('a host of another boot is not signalled, even when its pid is in use', async () => {
  const harness = useThreads()
  const { attempts, host, record } = await leftBehind(harness, [{ do: 'wait' }])
  const other = useThreads()
  mkdirSync(join(other.paths.hosts, host), { recursive: true })
  const copied = { ...record, boot_id: 'of the original of a copied state' }
  writeFileSync(join(other.paths.hosts, host, 'host.json'), JSON.stringify(copied))
  const stranger = await other.manager({ instanceId: 'another' })
  stranger.executor.adopted()
  await waitUntil(() => other.hosts().length === 0)
  expect(isGone(record.pid)).toBe(false)
  const [one] = adoptAll(await harness.manager(), attempts) as [Started]
  one.control.stop('cancel')
  expect(await one.end()).toMatchObject({ kind: 'stopped' })
})

test('a pid that has another owner by now is not signalled', async () => {
  const harness = useThreads()
  const { attempts, host, record } = await leftBehind(harness, [{ do: 'wait' }])
  const other = await leftBehind(useThreads(), [{ do: 'wait' }])
  process.kill(record.pid, 'SIGKILL')
  await waitUntil(() => isGone(record.pid))
  // The right pid and start time of a process that is another host.
  const taken = { ...harness.record(host), pid: other.record.pid, start_time: readStat(other.record.pid)?.startTime }
  writeFileSync(join(harness.paths.hosts, host, 'host.json'), JSON.stringify(taken))
  const [one] = adoptAll(await harness.manager(), attempts) as [Started]
  expect(await one.end()).toMatchObject({ kind: 'lost', countsAsCrash: true })
  expect(isGone(other.record.pid)).toBe(false)
})

test('a host that lives and does not answer is killed; nobody waits long for it', async () => {
  const harness = useThreads()
  const { attempts, record } = await leftBehind(harness, [{ do: 'wait' }])
  process.kill(record.pid, 'SIGSTOP')
  const begun = performance.now()
  const manager = await harness.manager()
  expect(performance.now() - begun).toBeLessThan(8_000)
  const [one] = adoptAll(manager, attempts) as [Started]
  expect(await one.end()).toMatchObject({ kind: 'lost', message: expect.stringContaining('did not answer') })
  expect(isGone(record.pid)).toBe(true)
})

test('a host of another protocol is ended and its attempts are given back, but for the ends it wrote down', async () => {
  const harness = useThreads()
  const { attempts, host, record } = await leftBehind(harness, [{ do: 'wait' }, { do: 'wait' }])
  const [first, second] = attempts as [Started, Started]
  const directory = join(harness.paths.hosts, host)
  const end = { kind: 'completed', result: 'kept', artifacts: [], elapsedMs: 1, output }
  appendFileSync(join(directory, 'ends.jsonl'), `${JSON.stringify({ key: second.key, end })}\n{"key":"half`)
  writeFileSync(join(directory, 'host.json'), JSON.stringify({ ...harness.record(host), protocol: 99 }))
  const manager = await harness.manager()
  expect(isGone(record.pid)).toBe(true)
  const [released, kept] = adoptAll(manager, [first, second]) as [Started, Started]
  expect(await released.end()).toMatchObject({ kind: 'released', message: expect.stringContaining('protocol') })
  expect(await kept.end()).toMatchObject({ kind: 'completed', result: 'kept' })
})

test('a host that only says in its welcome that it speaks another protocol is ended too', async () => {
  const harness = useThreads()
  harness.plan({ protocol: 2 })
  const first = await harness.manager({ pace: fastPace })
  first.executor.adopted()
  const attempt = first.start({ do: 'return' })
  await waitUntil(() => harness.log.some(({ message }) => message.includes('did not answer after its start')))
  harness.plan({})
  expect(await attempt.end()).toMatchObject({ kind: 'completed' })
})

test('a host of another version finishes what it has, and a new one takes what comes', async () => {
  const harness = useThreads()
  const { attempts, host, record } = await leftBehind(harness, [{ do: 'wait' }])
  const manager = await harness.manager({ version: '1.3.0' })
  const [old] = adoptAll(manager, attempts) as [Started]
  const next = manager.start({ do: 'return' })
  expect(await next.end()).toMatchObject({ kind: 'completed' })
  expect(await runningIn(harness, next)).not.toBe(host)
  old.control.stop('release')
  await old.end()
  manager.executor.acknowledge([old.fence])
  await waitUntil(() => isGone(record.pid))
})

test('a manager that has been replaced ends no host', async () => {
  const harness = useThreads()
  const manager = await harness.manager({ pace: { ...fastPace, reconnectMs: 200 } })
  manager.executor.adopted()
  const attempt = manager.start({ do: 'mute' })
  const { pid } = harness.record(await runningIn(harness, attempt))
  writeFileSync(harness.paths.managerFile, JSON.stringify({ epoch: 7 }))
  await waitUntil(() => harness.log.some(({ message }) => message.includes('a later manager leads')))
  expect(isGone(pid)).toBe(false)
  expect(attempt.ends).toEqual([])
})
