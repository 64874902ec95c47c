import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Job, Json } from '../../../src/domain/job.ts'
import type { NewJob } from '../../../src/domain/ports/job-store.ts'
import { addUnitsRequest, listUnitsRequest } from '../../../src/domain/wire/units.ts'
import { writeFinalResults } from '../../../src/manager/runtime/final-results.ts'
import { addUnits } from '../../../src/manager/services/add-units.ts'
import { listUnits } from '../../../src/manager/services/list-units.ts'
import { facts, worker } from '../../conformance/support/jobs.ts'
import { openUnits } from './units-under-test.ts'

function openJob(changes: Partial<NewJob> = {}) {
  const under = openUnits()
  const { store, submit, clock } = under
  store.registerWorker(worker, clock.now(), clock.now() + 60_000)
  const job = submit(null, { params: { argv: ['x', '--', '{{unit}}'] }, ...changes })
  let woken = 0
  const context = under.context(() => {
    woken += 1
  })
  /** Runs all available units; `outputs` decides how each ends. */
  const run = (id: string, fails: (position: number) => { exit: number; tail: string } | null) => {
    for (;;) {
      const { units } = store.claimUnitsIfDue({
        jobId: id,
        limitKey: null,
        limit: 100,
        workerId: worker.id,
        executor: 'command',
        mode: 'local',
        nonce: 'nonce',
        now: clock.now(),
      })
      if (units.length === 0) return
      for (const unit of units) {
        const fence = { unitId: unit.id, attempt: unit.attempt, nonce: 'nonce', workerId: worker.id }
        const failure = fails(unit.position)
        const { now: _now, ...ended } = facts()
        if (failure === null)
          store.completeUnitIfHeld(fence, { result: { cost: unit.position } }, { ...ended, now: clock.now() + 1_500 })
        else {
          const error = {
            code: 'command_failed' as const,
            message: `exit code ${failure.exit}`,
            remedy: 'Read the log.',
            details: { output_tail: failure.tail },
          }
          store.failUnitIfHeld(fence, 'failed', null, null, {
            ...ended,
            exitCode: failure.exit,
            error,
            now: clock.now() + 1_500,
          })
        }
      }
    }
  }
  return {
    ...under,
    job,
    context,
    run,
    woken: () => woken,
    add: (request: Record<string, unknown>) => addUnits(context, addUnitsRequest.parse({ id: job.id, ...request })),
    list: (request: Record<string, unknown> = {}, of: Job = job) =>
      listUnits(context, listUnitsRequest.parse({ id: of.id, ...request })),
  }
}

const unitsOf = (values: Json[]) => values.map((input, index) => ({ id: `unit-${index}`, input }))

describe('add_units', () => {
  test('adds durably, wakes the feeder, and closes', async () => {
    const { add, woken, store, job, inputs, sealed, feeder } = openJob({ keepOpen: true })
    expect(await add({ units: ['a', 'b'] })).toMatchObject({ id: job.id, given: 2 })
    expect(woken()).toBe(1)
    expect(store.readSourceTotals(job.id).waiting).toBe(2)
    expect((await add({ source: { kind: 'range', from: 1, to: 2 }, close: true })).given).toBe(2)
    feeder().start()
    await sealed(job.id)
    expect(inputs(job.id)).toEqual(['a', 'b', 1, 2])
  })

  test('closes without units', async () => {
    const { add, jobNow, job } = openJob({ keepOpen: true, units: unitsOf(['a']) })
    expect((await add({ close: true })).given).toBe(0)
    expect(jobNow(job.id).sealedAt).not.toBeNull()
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['nothing', {}, 'neither units nor source nor close'],
    ['an empty list', { units: [] }, 'neither units nor source nor close'],
    ['both', { units: [1], source: { kind: 'range', from: 1, to: 2 } }, 'given together'],
    ['a value that would be an option', { units: [{ a: 1 }] }, 'has no field "host"'],
  ])('refuses %s', async (_, request, message) => {
    const { add } = openJob({ keepOpen: true, params: { argv: ['x', '{{unit.host}}'] } })
    await expect(add(request)).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining(message) as string,
    })
  })

  test('refuses an unknown job, a final one, and a plain one', async () => {
    const { add, store, clock, job, submit } = openJob({ keepOpen: true })
    await expect(add({ id: '01941f29-7c00-7000-8000-00000000ffff', units: [1] })).rejects.toMatchObject({
      code: 'job_not_found',
    })
    const plain = submit(null, { units: unitsOf([null]) })
    await expect(add({ id: plain.id, units: [1] })).rejects.toMatchObject({
      code: 'invalid_transition',
      message: expect.stringContaining('without units') as string,
    })
    store.requestCancel(job.id, 'user', clock.now())
    await expect(add({ units: [1] })).rejects.toMatchObject({ code: 'invalid_transition' })
  })
})

describe('list_units', () => {
  test('pages by position, with a cursor that belongs to its filter', async () => {
    const { list } = openJob({ units: unitsOf(Array.from({ length: 45 }, (_, index) => index)) })
    const first = await list()
    expect(first.units.map(({ unit }) => unit)).toEqual(Array.from({ length: 20 }, (_, index) => index))
    const second = await list({ cursor: first.next_cursor })
    const third = await list({ cursor: second.next_cursor })
    expect(third.units.map(({ unit, untrusted_input: input }) => [unit, input]).at(-1)).toEqual([44, '44'])
    expect(third).toMatchObject({ has_more: false, next_cursor: null })
    await expect(list({ cursor: first.next_cursor, states: ['failed'] })).rejects.toThrow('another filter')
    await expect(list({ cursor: 'x' })).rejects.toThrow('not one that list_units answered')
  })

  test('groups failures by what they have in common, and names the calls', async () => {
    const { list, run, job } = openJob({ units: unitsOf(Array.from({ length: 30 }, (_, index) => index)) })
    run(job.id, (position) =>
      position % 3 === 0
        ? null
        : position === 1
          ? { exit: 2, tail: 'no such file\n' }
          : { exit: 1, tail: `row ${position}\nconnection to 10.0.0.${position} refused after ${position} ms\n` },
    )
    const answer = await list({ states: ['failed'], limit: 5 })
    expect(answer.counts).toMatchObject({ total: 30, completed: 10, failed: 20 })
    expect(answer.failure_groups).toEqual([
      {
        signature: 'command_failed, exit code 1: connection to # refused after <duration>',
        count: 19,
        units: [2, 4, 5, 7, 8, 10, 11, 13, 14, 16],
      },
      { signature: 'command_failed, exit code 2: no such file', count: 1, units: [1] },
    ])
    expect(answer.next).toContain(`job_logs {"id":"${job.id}","unit":2}`)
    expect(answer.next).toContain(`rerun_job {"id":"${job.id}","only":"failed"}`)
    expect(answer.units[0]).toMatchObject({ unit: 1, state: 'failed', exit_code: 2, attempts: 1, duration_s: 1.5 })
    const done = await list({ states: ['completed'], limit: 1 })
    expect(done.units[0]).toMatchObject({ result: { cost: 0 }, error: null })
  })

  test('stays small and harmless, whatever the units hold', async () => {
    const values = Array.from({ length: 200 }, (_, index) => ({ text: '\u0007€'.repeat(5_000), index }))
    const { list, run, job } = openJob({ units: unitsOf(values) })
    run(job.id, () => ({ exit: 1, tail: '\u001b[2J€'.repeat(1_000) }))
    const seen: number[] = []
    let cursor: string | null = null
    do {
      const page = await list({ limit: 200, detail: 'full', ...(cursor === null ? {} : { cursor }) })
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(40_000)
      expect(JSON.stringify(page)).not.toMatch(/(?<!\\)\\u00(07|1b)/)
      seen.push(...page.units.map(({ unit }) => unit))
      cursor = page.next_cursor
    } while (cursor !== null)
    expect(seen).toEqual(values.map(({ index }) => index))
  })

  test('of an unknown job is refused', async () => {
    const { list, job } = openJob({ keepOpen: true })
    await expect(list({}, { ...job, id: '01941f29-7c00-7000-8000-00000000ffff' })).rejects.toMatchObject({
      code: 'job_not_found',
    })
  })
})

test('the file of all results has a line a unit, without the final step', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nk-results-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const { store, run, job } = openJob({
    units: Array.from({ length: 250 }, (_, index) => ({ id: `unit-${index}`, input: index, key: `k${index}` })),
    failureBudget: { units: 10, percent: null, stopEarly: false },
    finalStep: { unitId: 'final', params: { argv: ['sum'] } },
  })
  run(job.id, (position) => (position === 7 ? { exit: 3, tail: 'bad' } : null))
  const file = join(folder, 'results.jsonl')
  await writeFinalResults(store, job.id, file)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(250)
  expect(JSON.parse(lines[7] ?? '')).toEqual({
    unit: 7,
    state: 'failed',
    key: 'k7',
    input: 7,
    result: null,
    error: { code: 'command_failed', message: 'exit code 3', exit_code: 3 },
    attempts: 1,
    duration_s: 1.5,
  })
  expect(JSON.parse(lines[249] ?? '')).toMatchObject({ unit: 249, state: 'completed', result: { cost: 249 } })
  expect(statSync(file).mode & 0o777).toBe(0o600)
})
