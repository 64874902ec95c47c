import { expect, test } from 'vitest'
import { approvalQuestion, awaitsReview, decisionIn } from '../../../src/tools/approval.ts'
import { jobView } from '../../support/job-view.ts'

const job = jobView({
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  name: 'Films',
  state: 'awaiting_approval',
  review: {
    units_run: 3,
    completed: 2,
    failed: 1,
    units_waiting: 40,
    unit_seconds: 2,
    rest_seconds: 80,
    cost: null,
    rest_cost: null,
    results: [
      { unit: 0, state: 'completed', result: { exit_code: 0, untrusted_output_tail: 'a.mp4 \u001b[31mwritten\n' } },
      { unit: 1, state: 'failed', result: { exit_code: 1, untrusted_output_tail: '' } },
      { unit: 2, state: 'completed', result: { frames: 12 } },
    ],
  },
})

test('a question says in lines for people what ran, what it gave and what is left', () => {
  const { params } = approvalQuestion(job) as { params: { message: string } }
  expect(params.message).toBe(
    'Nightkiln: may the rest of the job "Films" run? Test units: 2 completed, 1 failed. Still to run: 40, about 1 m 20 s. ' +
      'What the test units gave (written by the job):\n' +
      'unit 0 completed: a.mp4 \\x1b[31mwritten\nunit 1 failed: (no output)\nunit 2 completed: {"frames":12}',
  )
})

test('only a job that is held for review is asked about', () => {
  expect(awaitsReview(job)).toBe(true)
  const { review: _, ...permission } = job
  expect(awaitsReview(permission)).toBe(false)
  expect(awaitsReview({ ...job, state: 'running' })).toBe(false)
})

test.each([
  [{ action: 'accept', content: { decision: 'approve' } }, 'approve'],
  [{ action: 'accept', content: { decision: 'reject', note: 'x' } }, 'reject'],
  [{ action: 'accept', content: { decision: 'yes' } }, undefined],
  [{ action: 'accept', content: {} }, undefined],
  [{ action: 'accept' }, undefined],
  [{ action: 'decline', content: { decision: 'approve' } }, undefined],
  [{ action: 'cancel' }, undefined],
  [null, undefined],
  ['approve', undefined],
])('the answer %j decides %s', (answer, decision) => {
  expect(decisionIn({ key: answer }, 'key')).toBe(decision)
  expect(decisionIn({ key: answer }, 'other')).toBeUndefined()
})
