import { type ChildProcess, spawn } from 'node:child_process'
import { distMain } from '../support/repository.ts'
import type { TemporaryHome } from '../support/temporary-home.ts'
import { runHere } from './run-here.ts'

export interface CliResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliProcess {
  readonly child: ChildProcess
  readonly ended: Promise<CliResult>
  stdout(): string
  stderr(): string
}

export interface CliOptions {
  readonly stdin?: string
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
}

function worldOf(home: TemporaryHome, options: CliOptions) {
  return {
    env: { ...home.environment, HOME: home.home, ...options.environment },
    cwd: options.cwd ?? home.home,
  }
}

/** Starts the built program with a test's state directory. */
export function startCli(home: TemporaryHome, given: readonly string[], options: CliOptions = {}): CliProcess {
  const child = spawn(process.execPath, [distMain, ...given], {
    ...worldOf(home, options),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  home.ledger.add(child.pid)
  const written = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    written.stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    written.stderr += text
  })
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(options.stdin ?? '')
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...written }))
  })
  return { child, ended, stdout: () => written.stdout, stderr: () => written.stderr }
}

/** Runs the built program to its end, as a process: for what a test says of pipes, exit codes, signals and the program itself. */
export function runProcess(...given: Parameters<typeof startCli>): Promise<CliResult> {
  return startCli(...given).ended
}

/**
 * Runs a command of the built program in this process, as the program would: a start of it takes half a second of processor
 * time, and there are hundreds in the tests.
 */
export async function runCli(
  home: TemporaryHome,
  given: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  const { env, cwd } = worldOf(home, options)
  return { ...(await runHere(given, { environment: env, cwd, stdin: options.stdin ?? '' })), signal: null }
}

/** @returns the one JSON value of a --json call @throws when stdout holds anything else */
export function jsonOf(result: CliResult): Record<string, unknown> {
  return JSON.parse(result.stdout) as Record<string, unknown>
}

/** @returns the error object that --json puts on stderr */
export function errorOf(result: CliResult): { code: string; message: string; remedy: string } {
  return (JSON.parse(result.stderr) as { error: { code: string; message: string; remedy: string } }).error
}

/** Submits a shell script. @returns the id of the job */
export async function submitScript(home: TemporaryHome, script: string, ...more: readonly string[]): Promise<string> {
  const result = await runCli(home, ['submit', '--json', '--shell', script, ...more])
  if (result.code !== 0) throw new Error(`submit failed: ${result.stderr}`)
  return jsonOf(result)['id'] as string
}
