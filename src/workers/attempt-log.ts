import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { AttemptLog, OpenAttemptLog } from '../domain/ports/attempt-log.ts'
import { makeDirectory } from '../platform/make-directory.ts'
import { readRegular, replaceFile } from './attempt-access.ts'
import { attemptFiles } from './attempt-files.ts'
import type { ExecutorLog } from './executor-context.ts'
import { readOutputState, totalOf } from './output-index.ts'
import { factsOfOutput, OutputCare } from './thread-host/output-care.ts'

const appendFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0)
/** Written after each piece: how the bytes here and the offsets over there belong together. */
const placeName = 'output.place.json'
const place = z.object({ here: z.int().min(0), there: z.int().min(0) })
/** While it is shortened nothing is written, for this long at most: ms. */
const careTries = 500
const carePauseMs = 10

const silent: ExecutorLog = { debug: () => undefined, warn: () => undefined, error: () => undefined }

/** Logs of attempts that run on GPU workers, written by this process with the parts that keep the output of local ones short. */
export const openAttemptLog: OpenAttemptLog = (directory, maxOutputBytes) =>
  new RemoteAttemptLog(directory, maxOutputBytes)

class RemoteAttemptLog implements AttemptLog {
  readonly #directory: string
  readonly #file: string
  readonly #care: OutputCare
  #here: number
  #next: number

  constructor(directory: string, maxOutputBytes: number) {
    this.#directory = directory
    this.#file = join(directory, attemptFiles.output)
    try {
      makeDirectory(directory)
    } catch {
      // Each write says the same again; what can be kept is kept.
    }
    this.#care = new OutputCare(directory, maxOutputBytes, silent)
    this.#here = lengthOf(directory)
    this.#next = placeOver(directory, this.#here)
  }

  get next(): number {
    return this.#next
  }

  async append(text: string, next: number): Promise<void> {
    const bytes = Buffer.from(text)
    try {
      // Worth noting: an invalid byte comes as three, so less than the difference proves that something is missing.
      const missing = next - this.#next - bytes.length
      if (missing > 0) this.#write(Buffer.from(`… ${missing} bytes were dropped by the worker …\n`))
      this.#write(bytes)
      this.#next = next
      replaceFile(join(this.#directory, placeName), JSON.stringify({ here: this.#here, there: next }))
    } catch {
      // A full disk: it is missing here, and asked for no more.
      this.#next = next
    }
    for (let tried = 0; tried < careTries && this.#care.look() === 0; tried += 1) await sleep(carePauseMs)
  }

  async finish(): ReturnType<AttemptLog['finish']> {
    try {
      await this.#care.finish()
    } catch {
      // What is there is there; the next reader sees as much.
    }
    return factsOfOutput(this.#directory)
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const descriptor = openSync(this.#file, appendFlags, 0o600)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
      this.#here += bytes.length
    } finally {
      closeSync(descriptor)
    }
  }
}

function lengthOf(directory: string): number {
  try {
    return totalOf(readOutputState(directory))
  } catch {
    return 0
  }
}

/** A death between a piece and its record leaves the piece: what it added here was taken from there. */
function placeOver(directory: string, here: number): number {
  try {
    const known = place.parse(JSON.parse(readRegular(join(directory, placeName), 1_024)))
    return known.there + Math.max(0, here - known.here)
  } catch {
    return here
  }
}
