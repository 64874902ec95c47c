import type { JobState, UnitState } from '../states.ts'

export interface UnitFilter {
  readonly states?: readonly UnitState[] | undefined
  readonly keys?: readonly string[] | undefined
}

export interface JobFilter {
  readonly states?: readonly JobState[] | undefined
  readonly type?: string | undefined
  readonly queue?: string | undefined
  /** All must match. */
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly createdAfter?: number | undefined
  readonly createdBefore?: number | undefined
  /** Full text over name, type, labels, params and error; every word must match as a prefix. Never FTS syntax. */
  readonly text?: string | undefined
}
