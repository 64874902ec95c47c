import type { Job, JobOptions, Json } from '../job.ts'

export interface NewUnit {
  readonly id: string
  readonly input: Json
  /** A unit whose key is in the job already is skipped. */
  readonly key?: string | null
  readonly limitKey?: string | null
}

/** Where further units come from; fed in bounded transactions. `total` is the number of items. */
export type NewSource =
  | { readonly kind: 'list'; readonly items: readonly Json[]; readonly total: number }
  | { readonly kind: 'range'; readonly from: number; readonly step: number; readonly total: number }
  /** A file of JSON lines below the state directory. */
  | { readonly kind: 'spool'; readonly file: string; readonly total: number }

export type AppendOutcome =
  | { readonly kind: 'not_found' | 'already_final' | 'cancelling' }
  | { readonly kind: 'appended'; readonly job: Job; readonly sourceSeq: number }

/** A source that still has items. */
export interface OpenSource {
  readonly seq: number
  readonly job: Job
  readonly source: NewSource
  readonly options: JobOptions
  /** list, range: items taken; spool: bytes read. */
  readonly cursor: number
  readonly added: number
  readonly skipped: number
}

export interface SourceProgress {
  readonly added: number
  readonly skipped: number
  readonly job: Job
}

/** Sources of units, fed while their job runs; part of the JobStore. */
export interface SourceStore {
  /** Adds a source to an unfinished job, which is unsealed until the source is done. */
  appendSource(jobId: string, source: NewSource, now: number): AppendOutcome
  /** Sources that may be fed now, oldest first: those of jobs in their test phase only while test units are missing. */
  readOpenSources(limit: number): readonly OpenSource[]
  /**
   * Adds units of a source behind the last position and moves its cursor; units whose key is there are skipped. With `done`
   * the source ends and, when it was the last one of a job that is not kept open, the job is sealed (and settled if it can be).
   * Null: the job takes no more units; the source has ended.
   */
  insertUnits(
    sourceSeq: number,
    batch: { units: readonly NewUnit[]; cursor: number; done: boolean },
    now: number,
  ): SourceProgress | null
  /** Sources of a job that ended before they had given everything: what a rerun still has to add. */
  readUnfedSources(jobId: string): readonly OpenSource[]
  /** Spool files that still hold units of a job that is kept. */
  readSpoolFiles(): readonly string[]
  /** Items that sources have not given (a cancelled job's never will), and how many were skipped as known. */
  readSourceTotals(jobId: string): { readonly waiting: number; readonly skipped: number }
}
