import type { Statement } from 'better-sqlite3'
import type { ErrorRecord } from '../domain/errors.ts'
import type { JsonObject } from '../domain/job.ts'
import type { JobRow } from './job-row.ts'
import { indexedWords, searchQuery, searchWords } from './search-words.ts'
import type { Binds, Prepare } from './statement-loader.ts'

type SearchedRow = JobRow & { params: string }

/** Read before the index is asked: what is looked for is mostly common or recent. */
const sampleSize = 200
/** A word in more of the sample than this is looked for in the rows: the index would first gather every job that has it. */
const commonShare = 0.1
/** So many rows of another filter are read through rather than the index asked. */
export const fewRows = 2_000

/**
 * Pages of jobs by their words, newest first. The full-text index gathers all jobs of a word before it gives the first, so it
 * is asked only for words that are not in many jobs; the others are compared in the rows.
 */
export class TextSearch {
  readonly #search: Statement<[Binds], SearchedRow>
  readonly #readParams: Statement<[Binds], { params: string }>

  constructor(prepare: Prepare) {
    this.#search = prepare<SearchedRow>('search_jobs')
    this.#readParams = prepare<{ params: string }>('read_params')
  }

  /**
   * @param text every word must be in a job, as the beginning of one of its words
   * @param binds filters and page of the statement search_jobs
   * @param list the newest jobs of the filters without the text, below `before_seq`
   * @param isNarrow the filters leave few rows, so that these are read through
   */
  find(
    text: string,
    binds: Binds & { readonly limit: number; readonly before_seq: number | null },
    list: (page: { readonly before_seq: number | null; readonly limit: number }) => readonly JobRow[],
    isNarrow: boolean,
  ): JobRow[] {
    const words = [...searchWords(text)]
    if (words.length === 0) return []
    const seen = new Map(words.map((word) => [word, 0]))
    const found: JobRow[] = []
    let before = binds.before_seq
    let read = 0
    // Read on while the page will be full soon at this rate.
    do {
      const size = isNarrow ? fewRows : sampleSize
      const sample = list({ before_seq: before, limit: size })
      for (const row of sample) {
        const params = this.#readParams.get({ job_seq: row.seq })?.params ?? '{}'
        const present = this.#wordsIn(words, { ...row, params })
        for (const word of present) seen.set(word, (seen.get(word) ?? 0) + 1)
        if (present.length === words.length) found.push(row)
        if (found.length === binds.limit) return found
      }
      if (sample.length < size) return found
      read += sample.length
      before = sample.at(-1)?.seq ?? null
    } while (binds.limit * read <= fewRows * found.length)
    const common = words.filter((word) => (seen.get(word) ?? 0) > read * commonShare)
    const asked = common.length === words.length ? words : words.filter((word) => !common.includes(word))
    const compared = words.filter((word) => !asked.includes(word))
    const match = searchQuery(asked.join(' ')) ?? ''
    // Streamed: it ends as soon as the page is full.
    for (const row of this.#search.iterate({ ...binds, match, before_seq: before, limit: -1 })) {
      if (this.#wordsIn(compared, row).length < compared.length) continue
      const { params: _params, ...job } = row
      found.push(job)
      if (found.length === binds.limit) break
    }
    return found
  }

  /** @returns those of the words that a job has. */
  #wordsIn(words: readonly string[], row: SearchedRow): string[] {
    if (words.length === 0) return []
    const indexed = ` ${indexedWords({
      name: row.name,
      type: row.type,
      labels: JSON.parse(row.labels) as Record<string, string>,
      params: JSON.parse(row.params) as JsonObject,
      error: row.error === null ? null : (JSON.parse(row.error) as ErrorRecord).message,
    })}`
    return words.filter((word) => indexed.includes(` ${word}`))
  }
}
