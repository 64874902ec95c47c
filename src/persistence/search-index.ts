import type { Statement } from 'better-sqlite3'
import type { ErrorRecord } from '../domain/errors.ts'
import type { JsonObject } from '../domain/job.ts'
import { indexedWords } from './search-words.ts'
import type { Binds, Prepare } from './statement-loader.ts'
import type { TransactionParticipant } from './transaction-scope.ts'

interface SearchedRow {
  name: string
  type: string
  labels: string
  params: string
  error: string | null
}

/**
 * Writes the full-text index at the end of each transaction: FTS5 flushes a segment at every savepoint, so entries written
 * one by one inside a group commit would cost more than all else together.
 */
export class SearchIndex implements TransactionParticipant {
  readonly #pending: { readonly seq: number; readonly words: string | null }[] = []
  readonly #indexNew: Statement<[Binds]>
  readonly #indexAgain: Statement<[Binds]>
  readonly #read: Statement<[Binds], SearchedRow>

  constructor(prepare: Prepare) {
    this.#indexNew = prepare('index_new_job')
    this.#indexAgain = prepare('index_job_again')
    this.#read = prepare<SearchedRow>('read_searched_text')
  }

  /** A job that was not indexed before. */
  add(seq: number, words: string): void {
    this.#pending.push({ seq, words })
  }

  /** What the job is found by has changed. */
  refresh(seq: number): void {
    this.#pending.push({ seq, words: null })
  }

  mark(): () => void {
    const { length } = this.#pending
    return () => {
      this.#pending.length = length
    }
  }

  flush(): void {
    for (const { seq, words } of this.#pending) {
      if (words !== null) this.#indexNew.run({ seq, words })
      else this.#indexFromRow(seq)
    }
    this.#pending.length = 0
  }

  #indexFromRow(seq: number): void {
    const row = this.#read.get({ job_seq: seq })
    if (row === undefined) return
    const words = indexedWords({
      name: row.name,
      type: row.type,
      labels: JSON.parse(row.labels) as Record<string, string>,
      params: JSON.parse(row.params) as JsonObject,
      error: row.error === null ? null : (JSON.parse(row.error) as ErrorRecord).message,
    })
    this.#indexAgain.run({ seq, words })
  }
}
