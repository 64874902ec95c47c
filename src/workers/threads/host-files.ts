import { closeSync, fstatSync, lstatSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import type { StatePaths } from '../../config/paths.ts'
import type { Device } from '../../domain/wire/prediction.ts'
import { pipePath, socketFolder } from '../../platform/socket-folder.ts'
import { errorCode, isPassing, openRegular, readRegular, replaceFile } from '../attempt-access.ts'
import { cleanMessage } from '../progress/clean-line.ts'
import { endedAttempt, type HandlerEnd, type HostRecord, hostRecord, type LastWords, lastWords } from './protocol.ts'
import type { ThreadAttempt } from './thread-attempt.ts'

/** The files of one host's directory. */
export const hostFiles = {
  record: 'host.json',
  lastWords: 'last-words.json',
  /** Ends that no manager has taken yet, a line each. */
  ends: 'ends.jsonl',
  log: 'host.log',
  /** Written by the manager: what it handed over. */
  handed: 'handed',
} as const

const recordBytes = 64 * 1024
/** Its end may hold a result. */
const lastWordsBytes = 4 * 1024 * 1024
const endsBytes = 256 * 1024 * 1024
const logTailBytes = 16 * 1024
/** What V8, the kernel or a library says last of all, before stacks and registers. */
const telling =
  /fatal error|out of memory|segmentation fault|assertion .*failed|terminate called|free\(\)|malloc\(\)|smashing|panicked/i

/** A line that the host wrote by itself, with its time in front. */
const own = /^\d{4}-\d\d-\d\dT/

/** @returns where a host listens. @throws QueueError storage_refused as socketFolder */
export function hostSocket(paths: Pick<StatePaths, 'home' | 'hosts'>, hostId: string): string {
  if (process.platform === 'win32') return pipePath(paths.home, `host-${hostId}`)
  const direct = socketFolder(paths.home, paths.hosts, `${hostId}.sock`)
  return join(direct, direct === paths.hosts ? `${hostId}.sock` : `host-${hostId}.sock`)
}

/** @returns null when it has none that can be used. @throws the system's error when it cannot be read now */
export function readHostRecord(directory: string): HostRecord | null {
  return readRecord(join(directory, hostFiles.record), recordBytes, hostRecord)
}

/** @returns null when it said nothing. @throws the system's error when it cannot be read now */
export function readLastWords(directory: string): LastWords | null {
  return readRecord(join(directory, hostFiles.lastWords), lastWordsBytes, lastWords)
}

/** What a host wrote down, by key of the attempt. */
interface Journal {
  readonly ends: ReadonlyMap<string, HandlerEnd>
  readonly devices: ReadonlyMap<string, Device>
}

/**
 * @returns the ends that a host wrote down; a half line is none
 * @throws the system's error when they cannot be read now
 */
export function readJournal(directory: string): Journal {
  const ends = new Map<string, HandlerEnd>()
  const devices = new Map<string, Device>()
  for (const line of readIfThere(join(directory, hostFiles.ends), endsBytes).split('\n')) {
    const parsed = parseJson(line, endedAttempt)
    if (parsed === null) continue
    ends.set(parsed.key, parsed.end as HandlerEnd)
    if (parsed.device !== undefined) devices.set(parsed.key, parsed.device)
  }
  return { ends, devices }
}

/** @returns what a process that crashed said of it, in a line for people; '' for nothing. Never throws. */
export function crashLine(directory: string): string {
  return lastLines(directory).findLast((line) => telling.test(line) && !own.test(line)) ?? ''
}

/** @returns what the process of a host said at its end, whatever it was; '' for nothing. Never throws. */
export function lastLine(directory: string): string {
  const lines = lastLines(directory)
  return lines.findLast((line) => telling.test(line) || line.includes('Error: ')) ?? lines.at(-1) ?? ''
}

function lastLines(directory: string): readonly string[] {
  try {
    return readTail(join(directory, hostFiles.log))
      .split('\n')
      .map(cleanMessage)
      .filter((line) => line !== '')
  } catch {
    return []
  }
}

/** @returns true also when it cannot be told now: what may have run counts as run. */
export function mayExist(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes(errorCode(error))
  }
}

function readRecord<Value>(file: string, maxBytes: number, schema: z.ZodType<Value>): Value | null {
  return parseJson(readIfThere(file, maxBytes), schema)
}

function readIfThere(file: string, maxBytes: number): string {
  try {
    return readRegular(file, maxBytes)
  } catch (error) {
    if (isPassing(error)) throw error
    return ''
  }
}

function parseJson<Value>(text: string, schema: z.ZodType<Value>): Value | null {
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

function readTail(file: string): string {
  const descriptor = openRegular(file)
  try {
    const { size } = fstatSync(descriptor)
    const buffer = Buffer.alloc(Math.min(size, logTailBytes))
    const length = readSync(descriptor, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8', 0, length)
  } finally {
    closeSync(descriptor)
  }
}

/** Leaves the next manager word of why a host was ended, should this one not live to tell. */
export function noteStuck(directory: string, attempt: ThreadAttempt, message: string): void {
  const file = join(directory, hostFiles.lastWords)
  if (mayExist(file)) return
  const output = { bytes: 0, droppedBytes: 0, tail: '' }
  const elapsedMs = attempt.elapsedMs()
  const end = { kind: 'stopped', reason: attempt.stopReason ?? 'cancel', survivors: [], elapsedMs, output } as const
  const words = { reason: 'stuck', culprit: { key: attempt.key, end }, message } as const
  try {
    replaceFile(file, JSON.stringify(words))
  } catch {
    // Then its others are suspects, should this manager die too.
  }
}
