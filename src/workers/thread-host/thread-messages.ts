import type { MessagePort } from 'node:worker_threads'
import type { Progress } from '../../domain/job.ts'
import type { Device } from '../../domain/wire/prediction.ts'
import type { WireRun } from '../threads/protocol.ts'
import type { PackedText } from './packed-text.ts'

/** What a thread is given when it starts. */
export interface ThreadData {
  readonly port: MessagePort
  /** Memory of its ControlBlock. */
  readonly control: SharedArrayBuffer
  /** Directory of the attempt directories. */
  readonly attempts: string
}

/** The code that a thread runs; it never runs another. */
export interface ThreadCode {
  readonly type: string
  readonly file: string
  readonly reusable: boolean
  readonly heapMegabytes: number
}

/** One attempt, as a thread gets it. */
export interface ThreadItem extends WireRun {
  /** Rises by one with each attempt of a thread. */
  readonly seq: number
  readonly job_key: string
}

export interface SpawnRequest {
  readonly kind: 'spawn'
  readonly seq: number
  /** Names the child within its thread. */
  readonly id: number
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string | null
  readonly env: Readonly<Record<string, string>>
  readonly stdin: string | Uint8Array | null
  readonly maxOutputBytes: number
  /** True: every piece of output is told; false: output goes to the attempt's log. */
  readonly tellOutput: boolean
}

/** Main thread to thread. */
export type ToThread =
  | { readonly kind: 'load'; readonly code: ThreadCode }
  | {
      readonly kind: 'run'
      /** A WireJob each, told a thread once. */
      readonly jobs: readonly PackedText[]
      /** Jobs that are over. */
      readonly forget: readonly string[]
      /** Array of ThreadItem. */
      readonly items: PackedText
    }
  | { readonly kind: 'abort'; readonly seq: number }
  | { readonly kind: 'child_output'; readonly id: number; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | {
      readonly kind: 'child_ended'
      readonly id: number
      readonly exitCode: number | null
      readonly signal: string | null
      readonly stdout: string
      readonly stderr: string
    }
  | { readonly kind: 'child_failed'; readonly id: number; readonly message: string }

/** Facts of an end that do not stand in its text; bits of a number. */
export const endFlags = {
  /** It had been told to stop before it ended. */
  afterStop: 1,
  /** The thread cannot go on. */
  fatal: 2,
} as const

/** Thread to main thread. */
export type FromThread =
  /** The module of its code is loaded; or why not. */
  | { readonly kind: 'loaded'; readonly problem: string | null }
  | {
      readonly kind: 'ended'
      readonly seqs: readonly number[]
      /** An EndedAttempt each, as JSON. */
      readonly texts: readonly string[]
      readonly flags: readonly number[]
      /** True: nothing is left of what it was given. */
      readonly idle: boolean
    }
  | { readonly kind: 'progress'; readonly seq: number; readonly progress: Progress; readonly elapsedMs: number }
  | { readonly kind: 'device'; readonly seq: number; readonly device: Device }
  /** It has written much, and waits until it may write more. */
  | { readonly kind: 'output'; readonly seq: number }
  /** Something of an earlier attempt went wrong in it: it must not be used again. */
  | { readonly kind: 'worn'; readonly reason: string }
  /** The code is about to end its thread. */
  | { readonly kind: 'exit'; readonly seq: number; readonly code: string }
  | SpawnRequest
  /** So much of a child's output was taken. */
  | { readonly kind: 'child_taken'; readonly id: number; readonly length: number }
  | { readonly kind: 'child_kill'; readonly id: number }
