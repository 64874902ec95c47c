import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StopReason } from '../domain/ports/executor.ts'
import { parseStat } from './process-table-linux.ts'

/** The files of one attempt; runner.sh knows the same names. */
export const attemptFiles = {
  pid: 'pid',
  gate: 'gate',
  exit: 'exit',
  stop: 'stop',
  started: 'started',
  stdin: 'stdin',
  output: 'output',
  outputHead: 'output.head',
  outputTail: 'output.tail',
  outputIndex: 'output.json',
  runnerLog: 'runner.log',
} as const

/** Why an attempt is being ended; written before the first signal, so that the next manager goes on with it. */
export type StopRecord =
  | { readonly kind: 'stop'; readonly reason: StopReason }
  | { readonly kind: 'timeout'; readonly which: 'unit' | 'idle'; readonly limitMs: number }

export interface RunnerRecord {
  readonly pid: number
  /** Null where the runner cannot read it. */
  readonly startTime: string | null
  readonly bootId: string
}

export interface ExitRecord {
  readonly exitCode: number
  readonly bootId: string
  /** Wall ms at which the file was written. */
  readonly writtenAt: number
}

export interface StartRecord {
  /** Monotonic ms at which the attempt's clock began. */
  readonly monotonic: number
  readonly bootId: string
  readonly writtenAt: number
}

/** Errors that pass: no free descriptor, a disk that stumbles. Anything else is final. */
const passing: readonly string[] = ['EMFILE', 'ENFILE', 'EIO', 'EAGAIN', 'EINTR', 'ENOMEM', 'EBUSY']
const readTries = 50
const readPauseMs = 100

export function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? 'unknown'
}

/** @returns the text, null when the file is not there; waits for up to 5 s when it cannot be read for now. */
async function readText(file: string): Promise<string | null> {
  for (let tries = 1; ; tries++) {
    try {
      return await readFile(file, 'utf8')
    } catch (error) {
      if (!passing.includes(errorCode(error)) || tries === readTries) return null
      await sleep(readPauseMs)
    }
  }
}

/** Replaces a file as a whole. Not durable: a reboot makes it void anyway. */
async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.tmp`, text, { mode: 0o600 })
  await rename(`${file}.tmp`, file)
}

async function writtenAt(file: string): Promise<number> {
  return (await stat(file).catch(() => null))?.mtimeMs ?? 0
}

export async function readRunner(directory: string): Promise<RunnerRecord | null> {
  const match = /^pid (\d+) (\S+) (.*)\n/.exec((await readText(join(directory, attemptFiles.pid))) ?? '')
  if (match === null) return null
  return { pid: Number(match[1]), bootId: match[2] ?? '', startTime: parseStat(match[3] ?? '')?.startTime ?? null }
}

export async function readExit(directory: string): Promise<ExitRecord | null> {
  const file = join(directory, attemptFiles.exit)
  const match = /^exit (\d{1,3}) (\S+)\n$/.exec((await readText(file)) ?? '')
  if (match === null) return null
  return { exitCode: Number(match[1]), bootId: match[2] ?? '', writtenAt: await writtenAt(file) }
}

export async function readStarted(directory: string): Promise<StartRecord | null> {
  const file = join(directory, attemptFiles.started)
  const match = /^started (-?\d+(?:\.\d+)?) (\S+)\n$/.exec((await readText(file)) ?? '')
  if (match === null) return null
  return { monotonic: Number(match[1]), bootId: match[2] ?? '', writtenAt: await writtenAt(file) }
}

export async function writeStarted(directory: string, monotonic: number, bootId: string): Promise<void> {
  await replaceFile(join(directory, attemptFiles.started), `started ${monotonic} ${bootId}\n`)
}

export async function readStop(directory: string): Promise<StopRecord | null> {
  const text = await readText(join(directory, attemptFiles.stop))
  if (text === null) return null
  try {
    return JSON.parse(text) as StopRecord
  } catch {
    return null
  }
}

export async function writeStop(directory: string, stop: StopRecord): Promise<void> {
  await replaceFile(join(directory, attemptFiles.stop), JSON.stringify(stop))
}

/**
 * Tries to make the gate, as the runner does: only the winner may run or revoke the attempt.
 * @returns true when it was won here
 */
export async function takeGate(directory: string): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  try {
    await mkdir(join(directory, attemptFiles.gate), { mode: 0o700 })
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

/** True when the command may have run: the runner makes the output file right before it becomes the command. */
export async function hasRun(directory: string): Promise<boolean> {
  return (await stat(join(directory, attemptFiles.output)).catch(() => null)) !== null
}
