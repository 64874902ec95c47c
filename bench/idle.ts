import { readFileSync } from 'node:fs'
import { withBenchHome } from './bench-home.ts'
import type { Figure } from './figures.ts'

const ticksPerSecond = 100

function cpuTicks(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) / 1024
}

/** Memory and processor of a manager that nobody talks to; Linux only. */
export function measureIdle(seconds: number): Promise<readonly Figure[]> {
  return withBenchHome(async ({ client }) => {
    const { handshake } = await client.connect()
    // What starting took must not be counted: compiled code and garbage are settled some ten seconds later.
    await new Promise((resolve) => setTimeout(resolve, seconds >= 10 ? 12_000 : 2_000))
    const before = cpuTicks(handshake.pid)
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
    const used = (cpuTicks(handshake.pid) - before) / ticksPerSecond
    return [
      {
        name: 'idle manager, resident memory',
        value: residentMiB(handshake.pid),
        unit: 'MiB',
        goal: { at: 'most', value: 90 },
      },
      {
        name: 'idle manager, processor',
        value: (100 * used) / seconds,
        unit: '% of a core',
        goal: { at: 'most', value: 0.5 },
      },
    ]
  })
}
