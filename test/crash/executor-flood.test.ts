import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { OutputFacts } from '../../src/domain/ports/attempt.ts'
import { diskBytes, recordObserver, useExecutor } from '../integration/workers/executor-harness.ts'
import { startUnder } from '../integration/workers/start-under.ts'
import { waitUntil } from '../support/wait-until.ts'

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
  // The manager itself is held to 20 MiB by output-flood; this one samples a bare executor every 5 ms, garbage included.
  expect((memory - before) / mebibyte).toBeLessThan(30)
  // How far the flood gets before it is looked at is a matter of the machine; the whole of it never lies there.
  expect(disk / mebibyte).toBeLessThan(900)
  // What is written between the last look and a truncation escapes the count; more of it on a busy machine.
  expect(output.bytes).toBeGreaterThan(0.75 * gibibyte)
  expect(output.bytes).toBeLessThanOrEqual(gibibyte + 9)
  expect(output.bytes - output.droppedBytes).toBeLessThanOrEqual(maxOutputBytes)
  expect(output.bytes - output.droppedBytes).toBeGreaterThan(maxOutputBytes / 4)
  expect(output.tail.endsWith('\nthe end\n')).toBe(true)
  // A tail file may hold what lies before its kept part: up to half as much again, twice, beside head and live file.
  expect(diskBytes(harness.directory(task))).toBeLessThan(4 * maxOutputBytes)
  const head = await harness.executor.readOutput(task.fence, { offset: 0, maxBytes: 4 })
  expect([...head.bytes]).toEqual(script.startsWith('yes') ? [0x79, 0x0a, 0x79, 0x0a] : [0, 0, 0, 0])
  expect(head.droppedBytes).toBe(output.droppedBytes)
})

test('head and tail are whole, every byte stands at its logical offset, what is between is skipped', async () => {
  const harness = useExecutor()
  const blockLines = 10_000
  const blocks = 12
  const line = (number: number): string => `${String(number).padStart(15, '0')}\n`
  // After each block it waits, so that no byte is written while the live file is emptied: the count is exact.
  const script = `for block in $(seq 0 ${blocks - 1}); do
    awk -v b=$block 'BEGIN { for (i = 0; i < ${blockLines}; i++) printf "%015d\\n", b * ${blockLines} + i }'
    echo $block >written; while [ ! -e go-$block ]; do sleep 0.01; done
  done`
  const task = harness.task(script, { maxOutputBytes: 400_000 })
  const observer = recordObserver()
  harness.executor.start(task, observer)
  for (let block = 0; block < blocks; block++) {
    await waitUntil(() => Number(harness.read('written')) === block && harness.read('written') !== '', {
      intervalMs: 5,
    })
    await waitUntil(() => statSync(join(harness.directory(task), 'output')).size < 700_000, { intervalMs: 5 })
    writeFileSync(join(harness.work, `go-${block}`), '')
  }
  const total = blocks * blockLines * 16
  expect(await observer.end(20_000)).toMatchObject({
    kind: 'exited',
    output: { bytes: total, droppedBytes: total - 400_000 },
  })

  let kept = 0
  let offset = 0
  const starts: number[] = []
  for (;;) {
    const slice = await harness.executor.readOutput(task.fence, { offset, maxBytes: 32_000 })
    if (slice.bytes.length === 0) break
    if (slice.offset !== offset) starts.push(slice.offset)
    const first = slice.offset / 16
    const expected = Array.from({ length: slice.bytes.length / 16 }, (_, at) => line(first + at)).join('')
    expect(Buffer.from(slice.bytes).toString() === expected).toBe(true)
    kept += slice.bytes.length
    offset = slice.nextOffset
  }
  expect([kept, offset, starts]).toEqual([400_000, total, [total - 300_000]])
  const last = await harness.executor.readOutput(task.fence, { offset: -16, maxBytes: 100 })
  expect(Buffer.from(last.bytes).toString()).toBe(line(blocks * blockLines - 1))
})
