import { lstatSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { errorCode, isPassing, readRegular, replaceFile } from './attempt-access.ts'

/** The files of one attempt; runner.sh knows the same names. */
export const attemptFiles = {
  pid: 'pid',
  gate: 'gate',
  exit: 'exit',
  stop: 'stop',
  started: 'started',
  clock: 'clock',
  stdin: 'stdin',
  /** Its presence asks the runner for an open stdin. */
  interactive: 'interactive',
  input: 'input',
  inputEnd: 'input.end',
  inputReady: 'input.ready',
  inputEnded: 'input.ended',
  inputHolder: 'input.holder',
  result: 'result.json',
  output: 'output',
  outputHead: 'output.head',
  outputTail: 'output.tail',
  outputIndex: 'output.json',
  runnerLog: 'runner.log',
} as const

/** Why an attempt is being ended; written before the first signal, so that the next manager goes on with it. */
const stopRecord = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('stop'), reason: z.enum(['cancel', 'release']) }).readonly(),
  z.object({ kind: z.literal('timeout'), which: z.enum(['unit', 'idle']), limitMs: z.int().nonnegative() }).readonly(),
])
export type StopRecord = z.infer<typeof stopRecord>

/** Written when an attempt is frozen or thawed. */
const clockRecord = z.object({
  bootId: z.string().max(200),
  elapsedMs: z.number().nonnegative().max(Number.MAX_SAFE_INTEGER),
  /** Monotonic ms at which `elapsedMs` was true. */
  at: z.number().nonnegative().max(Number.MAX_SAFE_INTEGER),
  frozen: z.boolean(),
})
export type ClockRecord = Readonly<z.infer<typeof clockRecord>>

export interface RunnerRecord {
  readonly pid: number
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

const readTries = 50
const readPauseMs = 100
/** None of the small files is longer. */
const textBytes = 64 * 1024

/**
 * @returns the text, null when no such file is there
 * @throws the system's error when it still cannot be read after 5 s: that is no proof of anything
 */
async function readText(file: string): Promise<string | null> {
  for (let tries = 1; ; tries++) {
    try {
      return readRegular(file, textBytes)
    } catch (error) {
      if (!isPassing(error)) return null
      if (tries === readTries) throw error
      await sleep(readPauseMs)
    }
  }
}

function writtenAt(file: string): number {
  try {
    return lstatSync(file).mtimeMs
  } catch {
    return 0
  }
}

export async function readRunner(directory: string): Promise<RunnerRecord | null> {
  const match = /^pid (\d+) (\S+)\n/.exec((await readText(join(directory, attemptFiles.pid))) ?? '')
  if (match === null) return null
  return { pid: Number(match[1]), bootId: match[2] ?? '' }
}

export async function readExit(directory: string): Promise<ExitRecord | null> {
  const file = join(directory, attemptFiles.exit)
  const match = /^exit (\d{1,3}) (\S+)\n$/.exec((await readText(file)) ?? '')
  if (match === null || Number(match[1]) > 255) return null
  return { exitCode: Number(match[1]), bootId: match[2] ?? '', writtenAt: writtenAt(file) }
}

export async function readStarted(directory: string): Promise<StartRecord | null> {
  const file = join(directory, attemptFiles.started)
  const match = /^started (-?\d+(?:\.\d+)?) (\S+)\n$/.exec((await readText(file)) ?? '')
  if (match === null || Math.abs(Number(match[1])) > Number.MAX_SAFE_INTEGER) return null
  return { monotonic: Number(match[1]), bootId: match[2] ?? '', writtenAt: writtenAt(file) }
}

export async function writeStarted(directory: string, monotonic: number, bootId: string): Promise<void> {
  replaceFile(join(directory, attemptFiles.started), `started ${monotonic} ${bootId}\n`)
}

export function readStop(directory: string): Promise<StopRecord | null> {
  return readRecord(join(directory, attemptFiles.stop), stopRecord)
}

export async function writeStop(directory: string, stop: StopRecord): Promise<void> {
  replaceFile(join(directory, attemptFiles.stop), JSON.stringify(stop))
}

/** @returns null when the attempt was never frozen */
export function readClock(directory: string): Promise<ClockRecord | null> {
  return readRecord(join(directory, attemptFiles.clock), clockRecord)
}

export function writeClock(directory: string, record: ClockRecord): void {
  replaceFile(join(directory, attemptFiles.clock), JSON.stringify(record))
}

async function readRecord<T>(file: string, schema: z.ZodType<T>): Promise<T | null> {
  const text = await readText(file)
  if (text === null) return null
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** @returns pid of the process that holds the stdin of an interactive command open; null when there is none */
export async function readInputHolder(directory: string): Promise<number | null> {
  const match = /^(\d{1,10})\n$/.exec((await readText(join(directory, attemptFiles.inputHolder))) ?? '')
  return match === null ? null : Number(match[1])
}

/**
 * Tries to make the gate, as the runner does: only the winner may run or revoke the attempt.
 * @returns true when it was won here
 */
export async function takeGate(directory: string): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return winGate(directory)
}

/** As takeGate, but a directory that is gone is not made again. @throws the system's error */
export async function winGate(directory: string): Promise<boolean> {
  try {
    await mkdir(join(directory, attemptFiles.gate), { mode: 0o700 })
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

/** @throws the system's error when it cannot be told now */
export function isThere(directory: string, name: string): boolean {
  try {
    lstatSync(join(directory, name))
    return true
  } catch (error) {
    if (isPassing(error)) throw error
    return false
  }
}

/** True when the command may have run: the runner makes the output file right before it becomes the command. */
export function hasRun(directory: string): boolean {
  return isThere(directory, attemptFiles.output)
}

/** True when the directory was prepared, and the command (or anyone) has not removed it since. */
export function isPrepared(directory: string): boolean {
  return isThere(directory, attemptFiles.started)
}

/** True when the runner, or who revoked it, has been there. */
export function isGateTaken(directory: string): boolean {
  return isThere(directory, attemptFiles.gate)
}
