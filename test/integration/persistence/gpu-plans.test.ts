import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { useStateDirectory } from './support.ts'

const binds = {
  available_at: 0,
  job_seq: 1,
  job_id: 'id',
  for_gpu: 1,
  limit_key: null,
  after_key: null,
  limit: 5,
  now: 1,
  worker_id: 'w',
  nonce: 'n',
  unit_id: 'u',
  unit_seq: 1,
  attempt: 1,
  unit_ids: '[]',
  unit_seqs: '[]',
  reason: null,
  restarted: 0,
  since: null,
  device: 'd',
  mode: null,
  remote_worker: 'rig',
  remote_id: 'r',
  state: 'queued',
  queue: null,
  after_seq: 0,
}

/** Few rows by their nature: unfinished jobs that ask for a GPU, attempts that run. */
const shortIndexes = /^SCAN (job|attempt) USING (COVERING )?INDEX (job_for_gpu|attempt_running)/
const tables = /^SCAN (job|unit|attempt|next|unit_gpu|unit_payload|job_count|queue)\b/

function openPlans() {
  const { open, databaseFile } = useStateDirectory()
  open().close()
  const database = new Database(databaseFile)
  onTestFinished(() => {
    database.close()
  })
  return (name: string): string[] => {
    const sql = readFileSync(new URL(`../../../src/persistence/statements/${name}.sql`, import.meta.url), 'utf8')
    const plan = database.prepare<[object], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
    return plan.all(binds).map(({ detail }) => detail)
  }
}

test.each([
  'claim_units',
  'count_modes',
  'name_fallbacks',
  'note_fallbacks',
  'note_gpu_return',
  'place_units_here',
  'read_checkpoints',
  'read_gpu_waiters',
  'read_lane_of_job',
  'read_lanes_of_job',
  'read_next_due',
  'read_runnable_job',
  'read_runnable_jobs',
  'read_unit_gpu',
  'record_device',
  'record_remote',
  'return_unit',
  'set_gpu_wait',
])('%s walks no table', (name) => {
  const plan = openPlans()(name)
  expect(plan.filter((step) => tables.test(step) && !shortIndexes.test(step))).toEqual([])
})

test.each(['claim_units', 'read_next_due', 'read_lane_of_job', 'read_runnable_job'])(
  '%s finds its lane by job, place and limit key',
  (name) => {
    expect(openPlans()(name).join('\n')).toMatch(
      /SEARCH unit USING (COVERING )?INDEX unit_available \(job_seq=\? AND for_gpu=\? AND limit_key[=>]\?/,
    )
  },
)
