import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createManagerClient, type ManagerClient } from '../src/client/manager-client.ts'
import { readManagerFile } from '../src/client/manager-file.ts'
import { captureSubmitContext } from '../src/client/submit-context.ts'
import { statePaths } from '../src/config/paths.ts'
import { version } from '../src/config/version.ts'
import type { OperationRequest } from '../src/domain/wire/operations.ts'
import type { SubmitContext } from '../src/domain/wire/submit.ts'

export const repositoryRoot: string = dirname(dirname(fileURLToPath(import.meta.url)))
export const distMain: string = join(repositoryRoot, 'dist', 'cli', 'main.js')

export interface BenchHome {
  readonly home: string
  readonly environment: Readonly<Record<string, string>>
  readonly client: ManagerClient
}

/** This process's environment with the given home and no other Nightkiln variable. */
function environmentFor(home: string): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('NIGHTKILN_'))
  return { ...(Object.fromEntries(kept) as Record<string, string>), NIGHTKILN_HOME: home }
}

/** A new folder on the disk that is measured; whoever makes it removes it. */
export function makeBenchDirectory(name: string): string {
  return mkdtempSync(join(process.env['NIGHTKILN_BENCH_DIRECTORY'] ?? tmpdir(), `nk-${name}-`))
}

/**
 * Runs a measurement with a fresh state directory and a manager of its own, on the disk that NIGHTKILN_BENCH_DIRECTORY names
 * or in the temp directory; both are gone afterwards, also after an error.
 */
export async function withBenchHome<Result>(measure: (bench: BenchHome) => Promise<Result>): Promise<Result> {
  const home = makeBenchDirectory('bench')
  process.env['NIGHTKILN_HOME'] = home
  const client = createManagerClient({ home, version, submittedBy: 'bench' })
  try {
    const result = await measure({ home, environment: environmentFor(home), client })
    await client.call('stop_manager', { drain_ms: 0, running: 'release' })
    return result
  } finally {
    await client.close()
    const manager = readManagerFile(statePaths(home).managerFile)
    if (manager !== null) await endManager(manager.pid)
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Waits for the end of a manager that was asked to stop; after ten seconds it is killed. */
export async function endManager(pid: number): Promise<void> {
  const deadline = Date.now() + 10_000
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    if (Date.now() > deadline) process.kill(pid, 'SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Captured once, as a front end that submits many jobs does. */
export const benchContext: SubmitContext = captureSubmitContext({ submittedBy: 'bench' })

/** Milliseconds of the wall clock, with fractions: what two processes can compare. */
export const wallMs = (): number => performance.timeOrigin + performance.now()

export const neverDue = '2099-01-01T00:00:00Z'

/** A submit of a command; far in the future unless `now`, so that only the durable accept is measured. */
export function commandSubmit(key: string, argv: readonly string[], now = false): OperationRequest<'submit_job'> {
  return {
    params: { argv: [...argv], cwd: tmpdir() },
    idempotency_key: key,
    context: benchContext,
    ...(now ? {} : { run_at: neverDue }),
  }
}

/** A script of this folder that runs in a process of its own. */
export interface RunningScript {
  /** Resolves when it has printed something. */
  readonly ready: Promise<void>
  /** The JSON object that it printed last, once it has ended. */
  readonly answer: Promise<unknown>
  /** Ends its standard input: what runs until then prints its answer. */
  finish(): void
}

/** Starts a script of this folder in a process of its own. */
export function startScript(
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): RunningScript {
  const child = spawn(process.execPath, ['--import', 'tsx', join(repositoryRoot, 'bench', script), ...args], {
    cwd: repositoryRoot,
    env: environment,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  let printed = () => {}
  const ready = new Promise<void>((resolve) => {
    printed = resolve
  })
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8')
    printed()
  })
  const answer = new Promise<unknown>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      const last = output.trimEnd().split('\n').at(-1) ?? ''
      if (code === 0) resolve(JSON.parse(last))
      else reject(new Error(`${script} ended with ${code}`))
      printed()
    })
  })
  return { ready, answer, finish: () => child.stdin.end() }
}

/** Runs a script of this folder in a process of its own. @returns the JSON object that it prints last */
export function runScript(
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<unknown> {
  const running = startScript(script, args, environment)
  running.finish()
  return running.answer
}
