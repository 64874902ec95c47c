import { expect, test } from 'vitest'
import { missingDirectory } from '../../../src/manager/services/missing-directory.ts'
import { submitNotes } from '../../../src/manager/services/submit-notes.ts'
import { queuedJob } from '../../support/job-builder.ts'
import { jobOptions } from '../../support/job-options.ts'

const now = Date.parse('2026-11-22T01:15:00Z')
const job = queuedJob({ runAt: 0, createdAt: now })
const options = jobOptions
const facts = {
  job,
  options,
  params: { argv: ['true'] },
  missingDirectory: null,
  hasGpuWorkers: false,
  isHandler: false,
  now,
}

test.for<readonly [string, readonly string[], string]>([
  ['|', ['ls', '|', 'wc'], '"|" is passed to ls as plain text: no shell runs. For a pipe use shell: true with script.'],
  [
    '&&',
    ['/usr/bin/make', '&&', 'make', 'test'],
    '"&&" is passed to make as plain text: no shell runs. For several commands use shell: true with script.',
  ],
  [
    '>',
    ['echo', 'hi', '>', 'file'],
    '">" is passed to echo as plain text: no shell runs. For a redirection use shell: true with script.',
  ],
  [
    '2>&1',
    ['make', '2>&1'],
    '"2>&1" is passed to make as plain text: no shell runs. For a redirection use shell: true with script.',
  ],
])('%s without a shell is noted', ([, argv, note]) => {
  expect(submitNotes({ ...facts, params: { argv } })).toContain(note)
})

test.for<Record<string, unknown>>([
  { argv: ['grep', 'a|b'] },
  { argv: ['find', '.', '-exec', 'ls', '{}', ';'] },
  { argv: ['expr', '1', '<', '2'] },
  { shell: true, script: 'ls | wc' },
  {},
])('%j needs no such note', (params) => {
  expect(submitNotes({ ...facts, params }).join(' ')).not.toContain('plain text')
})

test('a start time is told when it lies ahead or had passed at the submit', () => {
  const first = (runAt: number) => submitNotes({ ...facts, job: { ...job, runAt } })[0]
  expect(first(now + 3_600_000)).toBe('It starts at 2026-11-22 02:15 UTC, in 1 h.')
  expect(first(now - 3_600_000)).toBe('Its start time 2026-11-22 00:15 UTC has passed: it starts now.')
  // A repeat of the submit comes after the start that the first one had planned.
  const planned = { ...job, createdAt: now - 7_200_000, runAt: now - 3_600_000 }
  expect(submitNotes({ ...facts, job: planned })[0]).not.toContain('start time')
  expect(first(0)).toBe('A failed run is not retried (max_attempts 1).')
})

test('only a directory that certainly does not exist is missing', async () => {
  expect(await missingDirectory('/nowhere/at/all')).toBe('/nowhere/at/all')
  expect(await missingDirectory('/etc/passwd/below')).toBe('/etc/passwd/below')
  expect(await missingDirectory('/')).toBe(null)
})

test('what limits a job with several units is said before anything runs', () => {
  const batch = queuedJob({
    testUnits: 3,
    failureBudget: { units: 4, percent: null, stopEarly: true },
    finalStep: 'waiting',
    openDependencies: 2,
    keepOpen: true,
  })
  const notes = submitNotes({ ...facts, job: batch }).join('\n')
  expect(notes).toContain('The first 3 run; then it waits for approval')
  expect(notes).toContain('up to 4 failed units; with more it fails, and the rest is cancelled at once')
  expect(notes).toContain('Its final step runs once all units have ended')
  expect(notes).toContain('waits for 2 other jobs')
  expect(notes).toContain('stays open for units')
})
