import type { Database } from 'better-sqlite3'
import { Cancellations } from './cancellations.ts'
import { Claims } from './claims.ts'
import { Endings } from './endings.ts'
import { EventStore } from './event-store.ts'
import { Instance } from './instance.ts'
import { JobLists } from './job-lists.ts'
import { JobReader } from './job-reader.ts'
import { SearchIndex } from './search-index.ts'
import { Settlement } from './settlement.ts'
import { statementsOf } from './statement-loader.ts'
import { StatisticsReader } from './statistics-reader.ts'
import { Submissions } from './submissions.ts'
import { TransactionScope } from './transaction-scope.ts'
import { Watermarks } from './watermarks.ts'
import { Workers } from './workers.ts'

/** Everything that holds prepared statements of one connection; made anew when the store reopens. */
export interface StoreParts {
  readonly cancellations: Cancellations
  readonly claims: Claims
  readonly endings: Endings
  readonly events: EventStore
  readonly instance: Instance
  readonly jobs: JobReader
  readonly lists: JobLists
  readonly search: SearchIndex
  readonly statistics: StatisticsReader
  readonly submissions: Submissions
  readonly transactions: TransactionScope
  readonly watermarks: Watermarks
  readonly workers: Workers
}

/** Prepares every statement once on a connection. */
export function createStoreParts(database: Database): StoreParts {
  const prepare = statementsOf(database)
  const search = new SearchIndex(prepare)
  const events = new EventStore(prepare)
  const jobs = new JobReader(prepare)
  const settlement = new Settlement(prepare, events, search)
  const workers = new Workers(prepare, jobs)
  return {
    cancellations: new Cancellations(prepare, events, jobs, settlement, workers),
    claims: new Claims(prepare, events, jobs),
    endings: new Endings(prepare, events, jobs, settlement),
    events,
    instance: new Instance(prepare),
    jobs,
    lists: new JobLists(prepare),
    search,
    statistics: new StatisticsReader(prepare),
    submissions: new Submissions(prepare, events, jobs, search),
    transactions: new TransactionScope(database, prepare, search),
    watermarks: new Watermarks(prepare),
    workers,
  }
}
