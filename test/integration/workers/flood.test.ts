import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { OutputFacts } from '../../../src/domain/ports/executor.ts'
import { diskBytes, recordObserver, useExecutor } from './executor-harness.ts'
import { startUnder } from './start-under.ts'

const mebibyte = 1024 * 1024
const gibibyte = 1024 * mebibyte
const maxOutputBytes = 10 * mebibyte

function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kibibytes) * 1024
}

test.for([
  ['tiny lines', 'yes | head -c 1G; echo; echo the end'],
  ['no newline at all', 'head -c 1G /dev/zero; echo; echo the end'],
] as const)('1 GiB of %s: capped, memory flat, the command not stuck', { timeout: 60_000 }, async ([, script]) => {
  const harness = useExecutor()
  const task = harness.task(script, { maxOutputBytes })
  const manager = startUnder(harness, task)
  const runner = await manager.runner()
  const before = residentBytes(manager.process.pid ?? 0)
  let memory = before
  let disk = 0
  const sampler = setInterval(() => {
    memory = Math.max(memory, residentBytes(manager.process.pid ?? 0))
    disk = Math.max(disk, diskBytes(harness.directory(task)))
  }, 5)
  const end = await manager.end(45_000).finally(() => clearInterval(sampler))

  expect(end).toMatchObject({ kind: 'exited', exitCode: 0 })
  const output = (end as { output: OutputFacts }).output
  expect(runner.pid).toBeGreaterThan(1)
  expect((memory - before) / mebibyte).toBeLessThan(20)
  expect(disk / mebibyte).toBeLessThan(400)
  // What is written between the last look and a truncation escapes the count.
  expect(output.bytes).toBeGreaterThan(0.98 * gibibyte)
  expect(output.bytes).toBeLessThanOrEqual(gibibyte + 9)
  expect(output.bytes - output.droppedBytes).toBeLessThanOrEqual(maxOutputBytes)
  expect(output.bytes - output.droppedBytes).toBeGreaterThan(maxOutputBytes / 4)
  expect(output.tail.endsWith('\nthe end\n')).toBe(true)
  expect(diskBytes(harness.directory(task))).toBeLessThan(2 * maxOutputBytes)
  const head = await harness.executor.readOutput(task.fence, { offset: 0, maxBytes: 4 })
  expect([...head.bytes]).toEqual(script.startsWith('yes') ? [0x79, 0x0a, 0x79, 0x0a] : [0, 0, 0, 0])
  expect(head.droppedBytes).toBe(output.droppedBytes)
})

test('numbered lines: head and tail are whole, offsets are logical, what is between is skipped', async () => {
  const harness = useExecutor()
  const line = (number: number): string => `${String(number).padStart(15, '0')}\n`
  const lines = 300_000
  const task = harness.task(
    { argv: ['awk', `BEGIN { for (i = 0; i < ${lines}; i++) { printf "%015d\\n", i; if (i % 1000 == 0) { fflush(); system("sleep 0.002") } } }`] },
    { maxOutputBytes: 400_000 },
  )
  const observer = recordObserver()
  harness.executor.start(task, observer)
  const end = await observer.end(20_000)
  expect(end).toMatchObject({ kind: 'exited', output: { bytes: lines * 16, droppedBytes: lines * 16 - 400_000 } })

  const kept: string[] = []
  let offset = 0
  for (;;) {
    const slice = await harness.executor.readOutput(task.fence, { offset, maxBytes: 30_000 })
    if (slice.bytes.length === 0) break
    const text = Buffer.from(slice.bytes).toString()
    // Every byte stands at its logical offset.
    for (let at = (16 - (slice.offset % 16)) % 16; at + 16 <= text.length; at += 16) {
      expect(text.slice(at, at + 16)).toBe(line((slice.offset + at) / 16))
    }
    kept.push(text)
    expect(slice.nextOffset).toBe(slice.offset + slice.bytes.length)
    offset = slice.nextOffset
  }
  expect([kept.join('').length, offset]).toEqual([400_000, lines * 16])
  const last = await harness.executor.readOutput(task.fence, { offset: -16, maxBytes: 100 })
  expect(Buffer.from(last.bytes).toString()).toBe(line(lines - 1))
})
