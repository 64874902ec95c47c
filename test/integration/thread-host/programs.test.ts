import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createSystemProcessTable } from '../../../src/workers/system-process-table.ts'
import { handOver, hostJob, startHost } from '../../support/host-client.ts'
import { isAlive } from '../../support/proc.ts'
import { waitUntil } from '../../support/wait-until.ts'

const misbehave = (how: string, params = {}, changes = {}) => hostJob('misbehave.mjs', { how, ...params }, changes)
const number = (file: string): Promise<number> =>
  waitUntil(() => existsSync(file) && Number(readFileSync(file, 'utf8')))

test('a program gives its exit code and its output, which goes to the log', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const script = 'cat; echo wrong >&2; echo "$GREETING $NIGHTKILN_JOB_ID"; exit 3'
  const options = { stdin: 'given\n', env: { GREETING: 'hello', NIGHTKILN_JOB_ID: 'forged' } }
  const job = misbehave('spawned', { program: 'sh', args: ['-c', script], options })
  const item = handOver(manager, job)
  const end = await manager.end(item.key, 'completed')
  const stdout = `given\nhello ${job.job_id}\n`
  expect(end.result).toEqual({ exitCode: 3, signal: null, stdout, stderr: 'wrong\n' })
  expect(host.output(item)).toContain('given\n')
  expect(host.output(item)).toContain('wrong\n')
  expect(end.output.bytes).toBe(stdout.length + 6)
})

test('a program tells its output as it comes, whole characters, and much of it', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const script = 'printf "\\303"; sleep 0.1; printf "\\274"; head -c 4000000 /dev/zero | tr "\\0" z'
  const item = handOver(manager, misbehave('spawned_telling', { program: 'sh', args: ['-c', script] }))
  const { result, artifacts } = await manager.end(item.key, 'completed')
  expect(artifacts).toEqual([
    { name: 'result.json', mediaType: 'application/json', bytes: expect.any(Number), sha256: expect.any(String) },
  ])
  expect(result).toMatchObject({ artifact: 'result.json' })
  const { exitCode, heard } = JSON.parse(
    readFileSync(join(host.attemptDirectory(item), 'artifacts', 'result.json'), 'utf8'),
  )
  expect(exitCode).toBe(0)
  const text = heard.replaceAll('stdout: ', '')
  expect(text.length).toBe(4_000_001)
  expect(text.startsWith('üz')).toBe(true)
})

test('much output of a program is cut in the middle', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const script = 'echo first; head -c 5000000 /dev/zero | tr "\\0" z; echo; echo last'
  const job = misbehave('spawned', { program: 'sh', args: ['-c', script], options: { maxOutputBytes: 2_000 } })
  const item = handOver(manager, job)
  const end = await manager.end(item.key, 'completed')
  const { stdout } = end.result as { stdout: string }
  expect(stdout.length).toBeLessThan(2_100)
  expect(stdout.startsWith('first\nzzz')).toBe(true)
  expect(stdout.endsWith('zzz\nlast\n')).toBe(true)
  expect(stdout).toContain('bytes left out')
  expect(end.output.bytes).toBe(5_000_012)
  expect(end.output.bytes - end.output.droppedBytes).toBeLessThanOrEqual(job.max_output_bytes)
})

test.each([
  [{ program: 'no-such-program' }, 'the program "no-such-program" was not found'],
  [{ program: '/etc/passwd' }, 'the program "/etc/passwd" may not be executed'],
  [{ program: 'a\0b' }, 'spawn takes the name of a program'],
])('a program that cannot be started, %j, is an error of the handler', async (params, message) => {
  const host = await startHost()
  const manager = await host.connect()
  const end = await manager.end(handOver(manager, misbehave('spawned', params)).key, 'failed')
  expect(end.error.message).toContain(message)
})

test('a program does not hold its handler up when what it left behind keeps its output open', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const item = handOver(manager, misbehave('spawned', { program: 'sh', args: ['-c', 'echo done; sleep 64 &'] }))
  expect((await manager.end(item.key, 'completed')).result).toMatchObject({ exitCode: 0, stdout: 'done\n' })
})

test('a cancel ends a program, and does not wait for its handler to see so', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const file = join(host.home, 'pid')
  const args = ['-c', `trap '' TERM; echo $$ > ${file}; while :; do sleep 0.1; done`]
  const item = handOver(manager, misbehave('spawned', { program: 'sh', args }, { cancel_grace_ms: 300 }))
  const pid = await number(file)
  manager.send({ kind: 'stop', key: item.key, reason: 'cancel' })
  expect((await manager.end(item.key, 'stopped')).survivors).toEqual([])
  expect(isAlive(pid)).toBe(false)
})

test('all that an attempt started ends with it', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const file = join(host.home, 'pid')
  const item = handOver(manager, misbehave('left_behind', { file }))
  const pid = await number(file)
  await manager.end(item.key, 'completed')
  expect(isAlive(pid)).toBe(false)
  expect(marked(item.unit_id)).toEqual([])

  const stopped = handOver(manager, misbehave('left_behind', { file: `${file}2` }))
  const second = await number(`${file}2`)
  manager.send({ kind: 'stop', key: stopped.key, reason: 'cancel' })
  expect((await manager.end(stopped.key, 'stopped')).survivors).toEqual([])
  expect(isAlive(second)).toBe(false)
  expect(marked(stopped.unit_id)).toEqual([])
})

/** Living processes that carry the mark of an attempt of this unit. */
function marked(unitId: string): readonly number[] {
  const table = createSystemProcessTable()
  return table
    .list()
    .map((one) => one.pid)
    .filter((pid) => table.marksOf(pid)?.unitId === unitId)
}

test.each(['completed', 'stopped'] as const)(
  'a child that a handler started by itself ends with the attempt, which is %s',
  async (kind) => {
    const host = await startHost()
    const manager = await host.connect()
    const file = join(host.home, 'pid')
    const item = handOver(manager, misbehave('own_child', { file, ms: kind === 'completed' ? 100 : 60_000 }))
    const pid = await number(file)
    if (kind === 'stopped') manager.send({ kind: 'stop', key: item.key, reason: 'cancel' })
    await manager.end(item.key, kind)
    expect(isAlive(pid)).toBe(false)
  },
)
