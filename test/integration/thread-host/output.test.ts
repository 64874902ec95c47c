import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readOutput } from '../../../src/workers/output-reader.ts'
import { handOver, hostJob, startHost } from '../../support/host-client.ts'
import { readStat } from '../../support/proc.ts'
import { rounds } from '../../support/rounds.ts'

const megabyte = 1024 * 1024
const pageBytes = 4_096

test.each([
  [rounds(256, 1_024), 65_536],
  [100, 1_000],
])('%i MB of output in pieces of %i bytes are kept short, and fill no memory', async (megabytes, size) => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const bytes = megabytes * megabyte
  const count = Math.ceil(bytes / size)
  const job = hostJob('misbehave.mjs', { how: 'flood', bytes, size }, { max_output_bytes: 10 * megabyte })
  let largest = 0
  const look = setInterval(() => {
    largest = Math.max(largest, (readStat(host.pid)?.residentPages ?? 0) * pageBytes)
  }, 20)
  const begun = performance.now()
  const item = handOver(manager, job)
  const end = await manager.end(item.key, 'completed', 25_000).finally(() => clearInterval(look))
  const ms = performance.now() - begun
  process.stdout.write(
    `${Math.round(bytes / megabyte)} MB in ${Math.round(ms)} ms, host ${Math.round(largest / megabyte)} MB\n`,
  )

  expect(ms).toBeLessThan(20_000)
  expect(largest).toBeLessThan(250 * megabyte)
  // A piece that was just being written while the file was shortened may have gone uncounted.
  expect(end.output.bytes).toBeLessThanOrEqual(count * size + 14)
  expect(end.output.bytes).toBeGreaterThan(count * size - 2 * 65_536)
  const directory = host.attemptDirectory(item)
  const kept = readdirSync(directory)
    .filter((name) => name.startsWith('output'))
    .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
  // A piece of the tail may lie in a file that is longer than it.
  expect(kept).toBeLessThan(22 * megabyte)
  expect(end.output.bytes - end.output.droppedBytes).toBeLessThanOrEqual(10 * megabyte)
  expect(end.output.tail.endsWith('\nthe last line\n') || end.output.tail === 'the last line\n').toBe(true)
  const head = await readOutput(directory, { offset: 0, maxBytes: 100 })
  expect(Buffer.from(head.bytes).toString()).toBe('y'.repeat(100))
})

test('many lines of the console keep their order', async () => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const item = handOver(
    manager,
    hostJob('misbehave.mjs', { how: 'flood_console', lines: 20_000 }, { max_output_bytes: megabyte }),
  )
  const end = await manager.end(item.key, 'completed')
  expect(end.output.droppedBytes).toBe(0)
  expect(host.output(item)).toBe(Array.from({ length: 20_000 }, (_, at) => `line ${at}\n`).join(''))
})

test('output of a flood that is ended by force is counted and kept short', async () => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const job = hostJob('misbehave.mjs', { how: 'flood', bytes: 1e13 }, { unit_timeout_ms: 800, cancel_grace_ms: 100 })
  const item = handOver(manager, job)
  const end = await manager.end(item.key, 'timed_out')
  expect(end.output.bytes).toBeGreaterThan(megabyte)
  expect(end.output.droppedBytes).toBeGreaterThan(0)
  const directory = host.attemptDirectory(item)
  const kept = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
  expect(end.output.bytes - end.output.droppedBytes).toBeLessThanOrEqual(job.max_output_bytes)
  expect(kept).toBeLessThan(job.max_output_bytes + 2 * megabyte)
})
