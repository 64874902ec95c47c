import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import {
  brokenRecord,
  claim,
  claimSome,
  eventTypes,
  facts,
  finalStepIdOf,
  jobIdOf,
  newJob,
  start,
  submit,
} from './support/jobs.ts'

const finalStep = { unitId: finalStepIdOf(1), params: { argv: ['tar'] } }

describe.each(implementations)('$name: final step', ({ open }) => {
  test('becomes claimable with the end of the last unit, is not counted, and settles the job', () => {
    const { store } = open()
    submit(store, newJob(1, { finalStep, concurrency: 1 }, 2))
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    expect(store.readJob(jobIdOf(1))?.finalStep).toBe('waiting')
    const last = claim(store, jobIdOf(1))
    store.takeConsequences()
    const end = store.completeUnitIfHeld(last.fence, null, facts())
    expect(end).toMatchObject({ settled: false, job: { finalStep: 'running', counts: { total: 2, available: 0 } } })
    expect(store.takeConsequences().runnable).toMatchObject([{ jobId: jobIdOf(1), limitKey: null }])
    expect(store.readRunnableJobs(0, 5)).toHaveLength(1)
    const step = claim(store, jobIdOf(1))
    expect(step.unit).toMatchObject({ id: finalStep.unitId, finalStep: true, position: 2 })
    expect(step.job.counts).toMatchObject({ total: 2, running: 0, completed: 2 })
    expect(store.readUnitPayload(finalStep.unitId)?.input).toBeNull()
    expect(store.readUnits(jobIdOf(1), { limit: 9 }).at(-1)?.finalStep).toBe(true)
    expect(store.completeUnitIfHeld(step.fence, 'archive', facts())).toMatchObject({
      settled: true,
      job: { state: 'completed', finalStep: 'done', counts: { total: 2, completed: 2 } },
    })
    expect(eventTypes(store).slice(-4)).toEqual(['job.final_step', 'unit.started', 'unit.completed', 'job.completed'])
  })

  test('runs although units failed; the job then fails with the error of the unit', () => {
    const { store } = open()
    submit(store, newJob(1, { finalStep }))
    store.failUnitIfHeld(claim(store, jobIdOf(1)).fence, 'failed', null, null, facts({ error: brokenRecord }))
    const end = store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    expect(end).toMatchObject({ settled: true, job: { state: 'failed', error: brokenRecord } })
  })

  test('fails the job when it fails, retries like any unit', () => {
    const { store } = open()
    submit(store, newJob(1, { finalStep, maxAttempts: 2, failureBudget: { units: 1, percent: null, stopEarly: true } }))
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    const broken = facts({ error: brokenRecord })
    const first = store.failUnitIfHeld(claim(store, jobIdOf(1)).fence, 'failed', start, null, broken)
    expect(first).toMatchObject({ settled: false, unit: { state: 'available' }, job: { finalStep: 'running' } })
    const second = store.failUnitIfHeld(claim(store, jobIdOf(1)).fence, 'failed', start, null, broken)
    expect(second).toMatchObject({
      settled: true,
      job: { state: 'failed', error: brokenRecord, counts: { failed: 0 } },
    })
  })

  test('waits for the units of open sources', () => {
    const { store } = open()
    submit(store, newJob(1, { finalStep, source: { kind: 'range', from: 0, step: 1, total: 1 } }))
    store.completeUnitIfHeld(claim(store, jobIdOf(1)).fence, null, facts())
    expect(store.readJob(jobIdOf(1))?.finalStep).toBe('waiting')
    store.insertUnits(store.readOpenSources(1)[0]?.seq ?? 0, { units: [], cursor: 1, done: true }, start)
    expect(store.readJob(jobIdOf(1))?.finalStep).toBe('running')
  })

  test('never runs when the job was cancelled before it began', () => {
    const { store } = open()
    submit(store, newJob(1, { finalStep }))
    const { fence } = claim(store, jobIdOf(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    const end = store.completeUnitIfHeld(fence, null, facts())
    expect(end).toMatchObject({ settled: true, job: { state: 'cancelled', finalStep: 'waiting' } })
    expect(store.readUnits(jobIdOf(1), { limit: 9 })).toHaveLength(1)
  })

  test('is cancelled like a unit, before and while it runs', () => {
    const { store } = open()
    submit(store, newJob(1, { finalStep }))
    submit(store, newJob(2, { finalStep: { ...finalStep, unitId: finalStepIdOf(2) } }))
    for (const number of [1, 2]) store.completeUnitIfHeld(claim(store, jobIdOf(number)).fence, null, facts())
    const cancelled = { state: 'cancelled', finalStep: 'done', counts: { completed: 1, cancelled: 0 } }
    expect(store.requestCancel(jobIdOf(1), 'user', start)).toMatchObject({ kind: 'cancelled', job: cancelled })
    const { fence } = claim(store, jobIdOf(2))
    expect(store.requestCancel(jobIdOf(2), 'user', start)).toMatchObject({ kind: 'cancelling', held: [{ fence }] })
    expect(store.cancelUnitIfHeld(fence, null, facts())).toMatchObject({ settled: true, job: cancelled })
  })

  test('does not run while the job is paused', () => {
    const { store } = open()
    submit(store, newJob(1, { finalStep }))
    const { fence } = claim(store, jobIdOf(1))
    store.pauseJob(jobIdOf(1), false, start)
    store.completeUnitIfHeld(fence, null, facts())
    expect(claimSome(store, jobIdOf(1), 1)).toEqual([])
    store.resumeJob(jobIdOf(1), start)
    expect(claimSome(store, jobIdOf(1), 5)).toHaveLength(1)
  })

  test('ends a job that was closed without a unit', () => {
    const { store } = open()
    submit(store, newJob(1, { finalStep, units: [], keepOpen: true }))
    store.updateJob(jobIdOf(1), { close: true }, start)
    expect(claim(store, jobIdOf(1)).unit).toMatchObject({ finalStep: true, position: 0 })
  })
})
