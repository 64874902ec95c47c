import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import { killManager, waitForManager } from '../support/manager-process.ts'
import { connectStdio } from '../support/mcp-stdio-client.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { submitScript, useQueueClient, waitForEnd } from './support-b/queue-client.ts'
import { useWorkspace } from './support-b/workspace.ts'

const gibibyte = 1024 ** 3
const mebibyte = 1024 ** 2
const keptBytes = 10 * mebibyte

function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1]) * 1024
}

/** From here on VmHWM is the peak since now. */
function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function bytesBelow(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

it.for([
  { name: 'short lines', flood: "yes 'a line of the flood' | head -c 1G" },
  { name: 'without a newline', flood: "head -c 1G /dev/zero | tr '\\0' x" },
])('1 GiB of output, $name: capped, said, head and tail readable, the manager does not grow', async ({ flood }) => {
  const home = useTemporaryHome()
  const workspace = useWorkspace()
  const client = useQueueClient(home)
  // Everything is loaded and warm before the memory is measured.
  const warm = await submitScript(client, workspace, 'head -c 30M /dev/zero')
  await waitForEnd(client, [warm])
  await client.call('job_logs', { id: warm, mode: 'head' })
  const { pid } = await waitForManager(home.home)
  const before = memoryOf(pid, 'VmRSS')
  forgetPeak(pid)

  const started = performance.now()
  const id = await submitScript(client, workspace, `echo FIRST; ${flood}; echo; echo LAST`)
  // A short job beside it is not held up.
  const beside = await submitScript(client, workspace, 'true')
  await waitForEnd(client, [beside], 20_000)
  const [job] = await waitForEnd(client, [id], 60_000)
  const tookMs = performance.now() - started
  const growth = memoryOf(pid, 'VmHWM') - before
  expect(job?.state).toBe('completed')
  expect(growth / mebibyte).toBeLessThan(20)
  // The bare flood into a file takes one to three seconds.
  expect(tookMs).toBeLessThan(30_000)

  const { result } = await client.call('job_result', { id })
  expect(result).toMatchObject({ exit_code: 0, truncated: true })
  const head = await client.call('job_logs', { id, mode: 'head', max_bytes: 1_000 })
  const tail = await client.call('job_logs', { id, mode: 'tail', max_bytes: 1_000 })
  expect(head.untrusted_output.startsWith('FIRST\n')).toBe(true)
  expect(tail.untrusted_output.endsWith('\nLAST\n')).toBe(true)
  expect([head.truncated, tail.truncated]).toEqual([true, true])
  // Bytes written between the last look and the truncation may escape the count, more of them on a busy machine.
  expect(tail.total_bytes).toBeGreaterThan(0.75 * gibibyte)
  expect(tail.total_bytes).toBeLessThanOrEqual(gibibyte + 'FIRST\n\nLAST\n'.length)
  expect(tail.total_bytes - tail.dropped_bytes).toBeLessThanOrEqual(keptBytes)
  // The warm-up's cap, and a few times the cap of this one: files of the tail may hold bytes that are no longer shown.
  expect(bytesBelow(statePaths(home.home).attempts)).toBeLessThan(5 * keptBytes)

  process.stdout.write(`1 GiB: ${Math.round(tookMs)} ms, growth ${(growth / mebibyte).toFixed(1)} MiB\n`)
  await killManager(home.home, 'SIGTERM')
  await home.ledger.assertNothingLeft()
})

it('binary output is kept as bytes and shown as harmless, valid JSON', async () => {
  const home = useTemporaryHome()
  const workspace = useWorkspace()
  const client = useQueueClient(home)
  const nasty = [
    Buffer.from('plain\n'),
    Buffer.from([0x00, 0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80, 0x7f, 0x9b, 0x0a]),
    Buffer.from(
      '\u001b[2J\u001b]52;c;aGk=\u0007\u001b]8;;http://evil.example\u0007link\u001b]8;;\u0007 \u202eright\u2066\u0085\n',
    ),
    Buffer.from('"quotes" \\ </script> \u2028\n'),
  ]
  writeFileSync(join(workspace, 'nasty'), Buffer.concat(nasty))
  const random = await submitScript(client, workspace, 'head -c 1M /dev/urandom')
  const bad = await submitScript(client, workspace, 'cat nasty; exit 3')
  const [randomJob, badJob] = await waitForEnd(client, [random, bad])
  expect([randomJob?.state, badJob?.state]).toEqual(['completed', 'failed'])

  const frontEnd = await connectStdio({ environment: home.environment, ledger: home.ledger })
  // callOk checks that the text is the JSON of the structured content.
  const answers = [
    await frontEnd.callOk<object>('job_logs', { id: random, max_bytes: 100_000 }),
    await frontEnd.callOk<object>('job_logs', { id: bad }),
    await frontEnd.callOk<object>('job_status', { ids: [random, bad], detail: 'full' }),
    await frontEnd.callOk<object>('job_result', { id: random }),
    await frontEnd.callOk<object>('job_result', { id: bad }),
    await frontEnd.callOk<object>('whats_new', {}),
  ]
  for (const answer of answers) {
    for (const text of stringsIn(answer)) {
      expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
      // No half of a surrogate pair.
      expect(text).not.toMatch(/\p{Cs}/u)
    }
  }
  const shown = JSON.stringify(answers[1])
  expect(shown).toContain('plain')
  expect(shown).toContain('quotes')
  await frontEnd.close()

  const logs = await client.call('job_logs', { id: bad })
  expect(logs.total_bytes).toBe(Buffer.concat(nasty).length)
  await killManager(home.home, 'SIGTERM')
  await home.ledger.assertNothingLeft()
})

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, item]) => [key, ...stringsIn(item)])
}
