import { describe, expect, test } from 'vitest'
import { actionsFor, outcomeOf } from '../../../src/app/job-actions.ts'
import { displayStates, type JobView } from '../../../src/domain/wire/shared.ts'
import { jobView, review } from './jobs.ts'

const held = (more: Partial<JobView> = {}): JobView =>
  jobView(1, { state: 'awaiting_approval', stored_state: 'running', final: false, ...more })
const names = (job: JobView): readonly string[] => actionsFor(job).map(({ name }) => name)

describe('what can be done with a job', () => {
  test.each([
    ['running', ['pause', 'cancel']],
    ['scheduled', ['pause', 'cancel']],
    ['paused', ['resume', 'cancel']],
    ['pausing', ['resume', 'cancel']],
    ['cancelling', []],
    ['completed', ['rerun']],
    ['failed', ['rerun']],
    ['cancelled', ['rerun']],
  ] as const)('%s: %j', (state, expected) => {
    expect(names(jobView(1, { state }))).toEqual(expected)
  })

  test('a hold for review is decided here, with the very call that it says', () => {
    const [approve, reject] = actionsFor(held({ review: review() }))
    expect(approve).toMatchObject({
      label: 'Approve the other 96 units',
      tool: 'decide_job',
      input: { id: 'job-1', decision: 'approve' },
      confirm: null,
    })
    expect(reject).toMatchObject({ tool: 'decide_job', input: { id: 'job-1', decision: 'reject' } })
    expect(reject?.confirm).not.toBeNull()
  })

  test('a hold for permission is never decided here', () => {
    expect(names(held())).toEqual(['cancel'])
  })

  test('what cannot be undone is always asked about', () => {
    const all = displayStates.flatMap((state) => actionsFor(jobView(1, { state, review: review() })))
    const final = all.filter(({ tool, input }) => tool === 'cancel_job' || input['decision'] === 'reject')
    expect(final.length).toBeGreaterThan(5)
    expect(final.filter(({ confirm }) => confirm === null)).toEqual([])
  })

  test('of a batch the rest can be run again alone', () => {
    const counts = { total: 9, available: 0, running: 0, completed: 7, failed: 2, cancelled: 0 }
    const actions = actionsFor(jobView(1, { state: 'failed', counts }))
    expect(actions.map(({ input, isSubmit }) => ({ input, isSubmit }))).toEqual([
      { input: { id: 'job-1', only: 'not_completed' }, isSubmit: true },
      { input: { id: 'job-1' }, isSubmit: true },
    ])
    expect(names(jobView(1, { state: 'completed', counts }))).toEqual(['rerun'])
  })
})

describe('what came of it', () => {
  const [pause, cancel] = actionsFor(jobView(1, { state: 'running' }))
  const one = (outcome: string, why: string) => ({ jobs: [{ id: 'job-1', outcome, why }] })

  test.each([
    [cancel, one('cancelled', 'cancelled after 3 s'), 'Cancelled after 3 s.', true],
    [cancel, one('already_final', 'it completed before'), 'Already final: it completed before.', false],
    [cancel, one('not_found', ''), 'Not found.', false],
    [pause, one('unchanged', 'its queue is paused'), 'Unchanged: its queue is paused.', false],
  ] as const)('%#', (action, answer, text, isGood) => {
    if (action === undefined) throw new Error('no such action')
    expect(outcomeOf(action, answer)).toEqual({ text, isGood, opens: null })
  })

  test('a re-run opens the new job', () => {
    const [rerun] = actionsFor(jobView(1))
    if (rerun === undefined) throw new Error('no such action')
    expect(outcomeOf(rerun, { id: 'job-2' })).toMatchObject({ isGood: true, opens: 'job-2' })
  })
})
