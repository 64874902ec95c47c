// A process of its own: `plainjob-load.ts <database> <jobs>` adds no-op jobs to plainjob and lets one worker run them.
import Database from 'better-sqlite3'
import { better, defineQueue, defineWorker, JobStatus } from 'plainjob'

const [file = '', jobsText = '20000'] = process.argv.slice(2)
const jobs = Number(jobsText)

// Its own defaults in everything (NORMAL, polls every second), but for the log: a line for each step would be written.
const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }
const queue = defineQueue({ connection: better(new Database(file)), logger: silent })

/** @returns milliseconds for adding and for running so many jobs */
async function run(type: string, count: number): Promise<{ addMs: number; runMs: number }> {
  const adding = performance.now()
  queue.addMany(
    type,
    Array.from({ length: count }, (_, index) => index),
  )
  const running = performance.now()
  let left = count
  let done = () => {}
  const allDone = new Promise<void>((resolve) => {
    done = resolve
  })
  // Told through its hook after the job is marked as done: it has no poll to wait for while jobs are there.
  const onCompleted = () => {
    left -= 1
    if (left === 0) done()
  }
  const worker = defineWorker(type, async () => {}, { queue, logger: silent, onCompleted })
  const ended = worker.start()
  await allDone
  const ran = performance.now()
  await worker.stop()
  await ended
  if (queue.countJobs({ type, status: JobStatus.Done }) !== count) throw new Error('plainjob left jobs undone')
  return { addMs: running - adding, runMs: ran - running }
}

await run('warm-up', Math.min(2_000, jobs))
const { addMs, runMs } = await run('measured', jobs)
queue.close()
const answer = { ranPerSecond: (jobs * 1_000) / runMs, addedAndRanPerSecond: (jobs * 1_000) / (addMs + runMs) }
process.stdout.write(`${JSON.stringify(answer)}\n`)
