import type { Database } from 'better-sqlite3'
import { Artifacts } from './artifacts.ts'
import { BatchEndings } from './batch-endings.ts'
import { Cancellations } from './cancellations.ts'
import { ChangeNotes } from './change-notes.ts'
import { Claims } from './claims.ts'
import { ConsequenceReader } from './consequence-reader.ts'
import { Dependencies } from './dependencies.ts'
import { EarlyStop } from './early-stop.ts'
import { Endings } from './endings.ts'
import { EventStore } from './event-store.ts'
import { GpuPlacements } from './gpu-placements.ts'
import { History } from './history.ts'
import { Instance } from './instance.ts'
import { JobClocks } from './job-clocks.ts'
import { JobControls } from './job-controls.ts'
import { JobLists } from './job-lists.ts'
import { JobReader } from './job-reader.ts'
import { JobStops } from './job-stops.ts'
import { Lanes } from './lanes.ts'
import { Resumption } from './resumption.ts'
import { RunnableJobs } from './runnable-jobs.ts'
import { Schedules } from './schedules.ts'
import { SearchIndex } from './search-index.ts'
import { Settlement } from './settlement.ts'
import { Sources } from './sources.ts'
import { statementsOf } from './statement-loader.ts'
import { StatisticsReader } from './statistics-reader.ts'
import { Submissions } from './submissions.ts'
import { Tasks } from './tasks.ts'
import { TransactionScope } from './transaction-scope.ts'
import { UnitInserts } from './unit-inserts.ts'
import { Watermarks } from './watermarks.ts'
import { Workers } from './workers.ts'

/** Everything that holds prepared statements of one connection; made anew when the store reopens. */
export interface StoreParts {
  readonly artifacts: Artifacts
  readonly batchEndings: BatchEndings
  readonly cancellations: Cancellations
  readonly claims: Claims
  readonly clocks: JobClocks
  readonly consequences: ConsequenceReader
  readonly controls: JobControls
  readonly dependencies: Dependencies
  readonly endings: Endings
  readonly events: EventStore
  readonly gpu: GpuPlacements
  readonly history: History
  readonly instance: Instance
  readonly jobs: JobReader
  readonly lanes: Lanes
  readonly lists: JobLists
  readonly resumption: Resumption
  readonly runnable: RunnableJobs
  readonly schedules: Schedules
  readonly search: SearchIndex
  readonly sources: Sources
  readonly statistics: StatisticsReader
  readonly submissions: Submissions
  readonly tasks: Tasks
  readonly transactions: TransactionScope
  readonly watermarks: Watermarks
  readonly workers: Workers
}

/** Prepares every statement once on a connection. */
export function createStoreParts(database: Database): StoreParts {
  const prepare = statementsOf(database)
  const notes = new ChangeNotes()
  const search = new SearchIndex(prepare)
  const events = new EventStore(prepare)
  const jobs = new JobReader(prepare)
  const dependencies = new Dependencies(prepare)
  const unitInserts = new UnitInserts(prepare)
  const stops = new JobStops(prepare, events, notes)
  const workers = new Workers(prepare, jobs)
  const runnable = new RunnableJobs(prepare)
  const shared = { dependencies, events, jobs, notes, search, stops, unitInserts, workers }
  const earlyStop = new EarlyStop(prepare, { jobs, notes, stops })
  const history = new History(prepare, events)
  const settlement = new Settlement(prepare, { ...shared, noteSettled: (job) => history.noteSettled(job) })
  const cancellations = new Cancellations(prepare, jobs, notes, settlement, stops, workers)
  return {
    artifacts: new Artifacts(prepare),
    batchEndings: new BatchEndings(prepare, { ...shared, earlyStop, settlement }),
    cancellations,
    claims: new Claims(prepare, events, jobs),
    clocks: new JobClocks(prepare),
    consequences: new ConsequenceReader(notes, runnable, workers),
    controls: new JobControls(prepare, { ...shared, settlement }),
    dependencies,
    endings: new Endings(prepare, { ...shared, earlyStop, settlement }),
    events,
    gpu: new GpuPlacements(prepare, shared),
    history,
    instance: new Instance(prepare),
    jobs,
    lanes: new Lanes(prepare, notes),
    lists: new JobLists(prepare),
    resumption: new Resumption(prepare),
    runnable,
    schedules: new Schedules(prepare, events),
    search,
    sources: new Sources(prepare, { ...shared, settlement }),
    statistics: new StatisticsReader(prepare),
    submissions: new Submissions(prepare, { ...shared, cancellations }),
    tasks: new Tasks(prepare),
    transactions: new TransactionScope(database, prepare, [search, notes]),
    watermarks: new Watermarks(prepare),
    workers,
  }
}
