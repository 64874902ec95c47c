import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { isAlive } from '../../support/proc.ts'
import { waitUntil } from '../../support/wait-until.ts'

/** @throws Error saying what to install: a fault test that cannot inject its fault must not pass. */
export function requireProgram(name: string, debianPackage: string): void {
  const found = spawnSync('sh', ['-c', `command -v ${name}`])
  if (found.status !== 0) throw new Error(`this test needs ${name}: apt-get install ${debianPackage}`)
}

export interface Injection {
  /** Lets the process go on without faults. */
  remove(): Promise<void>
}

/**
 * Injects faults into the system calls of a living process.
 * @param calls for example `fsync,fdatasync`
 * @param fault for example `error=EIO:when=1` or `signal=KILL:when=3`; strace counts per thread
 */
export async function injectFaults(pid: number, calls: string, fault: string): Promise<Injection> {
  requireProgram('strace', 'strace')
  const rules = ['-e', `trace=${calls}`, '-e', `inject=${calls}:${fault}`]
  const tracer = spawn('strace', ['-f', '-qq', '-o', '/dev/null', ...rules, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  tracer.stderr.on('data', (text: Buffer) => {
    complaint += text.toString('utf8')
  })
  const remove = () => detach(tracer)
  onTestFinished(remove)
  await waitUntil(
    () => {
      if (tracer.exitCode !== null) throw new Error(`strace ended: ${complaint}`)
      return isTraced(pid)
    },
    { what: `strace to attach to ${pid}` },
  )
  return { remove }
}

function isTraced(pid: number): boolean {
  const status = spawnSync('sh', ['-c', `grep -h '^TracerPid:' /proc/${pid}/task/*/status`], {
    encoding: 'utf8',
  }).stdout
  const tracers = status.split('\n').filter((line) => line !== '')
  return tracers.length > 0 && tracers.every((line) => !/\s0$/.test(line))
}

async function detach(tracer: ChildProcess): Promise<void> {
  const { pid } = tracer
  if (pid === undefined || !isAlive(pid)) return
  tracer.kill('SIGINT')
  await waitUntil(() => !isAlive(pid), { what: 'strace to detach' })
}
