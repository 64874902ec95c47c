import { closeSync, constants, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { OutputFacts } from '../../../domain/ports/attempt.ts'
import { tailBytes, tailText } from '../../tail-text.ts'
import { aheadBytes, attemptNames, quietBytes } from '../attempt-names.ts'
import type { ControlBlock } from '../control-block.ts'

const openFlags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0)
/** Written at once; between two pieces it may have to wait. */
const pieceBytes = 64 * 1024
/** Between two reminders while it waits. */
const remindMs = 200
/** Output is worth less than the work: after so long it goes on, whoever shortens it. */
const longestWaitMs = 10_000

export interface OutputOptions {
  readonly seq: number
  readonly control: ControlBlock
  readonly maxOutputBytes: number
  /** Makes the attempt directory. @returns its path */
  readonly directory: () => string
  /** It wrote much: somebody has to shorten it. */
  readonly askForCare: () => void
}

/** What one attempt writes: straight to its file, made at the first byte; a flood waits until the file has been shortened. */
export class AttemptOutput {
  readonly #options: OutputOptions
  readonly #tail = Buffer.allocUnsafe(2 * tailBytes)
  #tailLength = 0
  #descriptor: number | null = null
  #bytes = 0
  #isCaredFor = false
  #isClosed = false

  constructor(options: OutputOptions) {
    this.#options = options
  }

  /** Never throws: a full disk must not fail a unit because of its log. What comes after `close` is dropped. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#isClosed; at += pieceBytes) {
      if (this.#bytes > Math.min(quietBytes, this.#options.maxOutputBytes)) this.#waitForCare()
      this.#append(bytes.subarray(at, at + pieceBytes))
    }
  }

  /** @param durable true: it is on the disk when this returns */
  close(durable: boolean): OutputFacts {
    if (this.#descriptor !== null && !this.#isClosed) closeFile(this.#descriptor, durable)
    this.#isClosed = true
    const cut = this.#bytes > tailBytes
    const tail = this.#tail.subarray(Math.max(0, this.#tailLength - tailBytes), this.#tailLength)
    return { bytes: this.#bytes, droppedBytes: 0, tail: tailText(tail, cut) }
  }

  #append(bytes: Uint8Array): void {
    try {
      this.#descriptor ??= openSync(join(this.#options.directory(), attemptNames.output), openFlags, 0o600)
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at)
    } catch {
      return
    }
    this.#bytes += bytes.length
    this.#keepTail(bytes)
    this.#options.control.wrote(this.#bytes)
  }

  #keepTail(bytes: Uint8Array): void {
    const piece = bytes.subarray(Math.max(0, bytes.length - tailBytes))
    if (this.#tailLength + piece.length > this.#tail.length) {
      const kept = tailBytes - Math.min(tailBytes, piece.length)
      this.#tail.copyWithin(0, this.#tailLength - kept, this.#tailLength)
      this.#tailLength = kept
    }
    this.#tail.set(piece, this.#tailLength)
    this.#tailLength += piece.length
  }

  #waitForCare(): void {
    const { control, seq, askForCare } = this.#options
    if (!this.#isCaredFor) askForCare()
    this.#isCaredFor = true
    for (let waited = 0; waited < longestWaitMs; waited += remindMs) {
      const state = control.creditState()
      const allowed = control.allowed()
      // Until somebody has had a look it may go on for a while.
      // Not one byte beyond: what is written while the file is shortened may be lost uncounted.
      if (this.#bytes < (allowed === 0 ? aheadBytes : allowed) || control.isCancelled(seq)) return
      askForCare()
      control.waitForCredit(state, remindMs)
    }
  }
}

function closeFile(descriptor: number, durable: boolean): void {
  try {
    if (durable) fdatasyncSync(descriptor)
    closeSync(descriptor)
  } catch {
    // A result is worth more than its log.
  }
}
