import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, claimSome, eventTypes, facts, jobIdOf, newJob, start, submit } from './support/jobs.ts'

describe.each(implementations)('$name: pauseJob, resumeJob', ({ open }) => {
  test('nothing more starts until it is resumed; what runs is named and may end', () => {
    const { store } = open()
    submit(store, newJob(1, {}, 2))
    const { fence } = claim(store, jobIdOf(1))
    const before = store.lastEventId()
    const paused = store.pauseJob(jobIdOf(1), false, start + 1)
    expect(paused).toMatchObject({ kind: 'changed', job: { pausedAt: start + 1, frozenAt: null }, held: [{ fence }] })
    expect(claimSome(store, jobIdOf(1), 1)).toEqual([])
    expect(store.completeUnitIfHeld(fence, null, facts())).toMatchObject({ settled: false })
    const resumed = store.resumeJob(jobIdOf(1), start + 2)
    expect(resumed).toMatchObject({ kind: 'changed', job: { pausedAt: null }, held: [] })
    expect(claim(store, jobIdOf(1)).unit.position).toBe(1)
    expect(eventTypes(store, before)).toEqual(['job.paused', 'unit.completed', 'job.resumed', 'unit.started'])
  })

  test('a second call adds or removes the freeze and keeps the time of the pause', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.pauseJob(jobIdOf(1), false, start + 1)
    const frozen = store.pauseJob(jobIdOf(1), true, start + 2)
    expect(frozen).toMatchObject({
      kind: 'changed',
      job: { pausedAt: start + 1, frozenAt: start + 2 },
      held: [{ fence }],
    })
    expect(store.pauseJob(jobIdOf(1), true, start + 3)).toEqual({ kind: 'unchanged' })
    const thawed = store.pauseJob(jobIdOf(1), false, start + 4)
    expect(thawed).toMatchObject({ kind: 'changed', job: { pausedAt: start + 1, frozenAt: null }, held: [{ fence }] })
    store.pauseJob(jobIdOf(1), true, start + 5)
    const resumed = store.resumeJob(jobIdOf(1), start + 6)
    expect(resumed).toMatchObject({ kind: 'changed', job: { pausedAt: null, frozenAt: null }, held: [{ fence }] })
  })

  test('changes nothing the second time, and nothing of what is not there or over', () => {
    const { store } = open()
    for (const number of [1, 2, 3]) submit(store, newJob(number))
    store.pauseJob(jobIdOf(1), false, start)
    store.requestCancel(jobIdOf(2), 'user', start)
    claim(store, jobIdOf(3))
    store.requestCancel(jobIdOf(3), 'user', start)
    const before = store.lastEventId()
    const pause = (number: number) => store.pauseJob(jobIdOf(number), false, start + 1)
    const resume = (number: number) => store.resumeJob(jobIdOf(number), start + 1)
    expect([pause(1), pause(2), pause(3), pause(9)].map(({ kind }) => kind)).toEqual([
      'unchanged',
      'already_final',
      'cancelling',
      'not_found',
    ])
    store.resumeJob(jobIdOf(1), start)
    expect([resume(1), resume(2), resume(3), resume(9)].map(({ kind }) => kind)).toEqual([
      'unchanged',
      'already_final',
      'cancelling',
      'not_found',
    ])
    expect(eventTypes(store, before)).toEqual(['job.resumed'])
  })

  test('a paused job settles with what was running', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.pauseJob(jobIdOf(1), true, start)
    expect(store.completeUnitIfHeld(fence, null, facts())).toMatchObject({ settled: true, job: { state: 'completed' } })
  })
})
