import { describe, expect, test } from 'vitest'
import type { ErrorRecord } from '../../src/domain/errors.ts'
import { implementations } from './support/implementations.ts'
import { claim, eventTypes, facts, jobIdOf, newJob, start, submit, wrongFences } from './support/jobs.ts'

const vanished: ErrorRecord = { code: 'worker_crashed', message: 'the runner vanished', remedy: 'Check its effects.' }
const lost = facts({ exitCode: null, error: vanished, now: start })
const crash = { mayRerun: true, countsAsCrash: true, retryAt: start + 50 }

describe.each(implementations)('$name: loseUnitIfHeld', ({ open }) => {
  test('makes the unit available again and counts a crash, not a failure', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    const before = store.lastEventId()
    const end = store.loseUnitIfHeld(fence, crash, lost)
    expect(end).toMatchObject({
      settled: false,
      unit: { state: 'available', failures: 0, crashes: 1, availableAt: start + 50 },
    })
    expect(store.readAttempts(fence.unitId)).toMatchObject([{ outcome: 'lost', exitCode: null, error: vanished }])
    expect(eventTypes(store, before)).toEqual(['unit.lost'])
  })

  test('fails the unit as poison with the third crash', () => {
    const { store } = open()
    submit(store, newJob(1))
    for (const crashes of [1, 2]) {
      const end = store.loseUnitIfHeld(claim(store, jobIdOf(1), { now: start + 50 }).fence, crash, lost)
      expect(end?.unit).toMatchObject({ state: 'available', crashes })
    }
    const { fence } = claim(store, jobIdOf(1), { now: start + 50 })
    const end = store.loseUnitIfHeld(fence, crash, lost)
    expect(end).toMatchObject({
      settled: true,
      unit: { state: 'failed', crashes: 3 },
      job: { error: { code: 'poison' } },
    })
    expect(store.readAttempts(fence.unitId).map((attempt) => attempt.error?.code)).toEqual([
      'worker_crashed',
      'worker_crashed',
      'poison',
    ])
  })

  test('losses that do not count as crashes never poison', () => {
    const { store } = open()
    submit(store, newJob(1))
    for (let loss = 0; loss < 5; loss += 1) {
      const { fence } = claim(store, jobIdOf(1), { now: start + 50 })
      const end = store.loseUnitIfHeld(fence, { ...crash, countsAsCrash: false }, lost)
      expect(end?.unit).toMatchObject({ state: 'available', crashes: 0 })
    }
  })

  test('fails the unit when it may not be rerun, with the error as told', () => {
    const { store } = open()
    submit(store, newJob(1))
    const end = store.loseUnitIfHeld(claim(store, jobIdOf(1)).fence, { ...crash, mayRerun: false }, lost)
    expect(end).toMatchObject({ settled: true, unit: { state: 'failed' }, job: { state: 'failed', error: vanished } })
  })

  test('a cancel wins', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.requestCancel(jobIdOf(1), 'user', start)
    const end = store.loseUnitIfHeld(fence, crash, lost)
    expect(end).toMatchObject({ settled: true, unit: { state: 'cancelled' }, job: { state: 'cancelled' } })
  })

  test('answers null for a wrong fence', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    for (const [what, wrong] of wrongFences(fence)) expect(store.loseUnitIfHeld(wrong, crash, lost), what).toBeNull()
    expect(store.readUnits(jobIdOf(1), { limit: 1 })).toMatchObject([{ state: 'running', crashes: 0 }])
  })
})
