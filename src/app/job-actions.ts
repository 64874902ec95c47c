import type { JobView } from '../domain/wire/shared.ts'
import { isFinal } from './job-groups.ts'

export const actionNames = ['approve', 'reject', 'resume', 'pause', 'cancel', 'rerun', 'rerun_rest'] as const
export type ActionName = (typeof actionNames)[number]

/** What a person can do with a job, as a call of an ordinary tool. */
export interface JobAction {
  readonly name: ActionName
  readonly label: string
  readonly tool: string
  readonly input: Readonly<Record<string, unknown>>
  /** What cannot be undone is asked about first. */
  readonly confirm: { readonly question: string; readonly yes: string; readonly no: string } | null
  /** Makes a new job: a repeat of the call must not make two. */
  readonly isSubmit: boolean
}

const resumable: ReadonlySet<string> = new Set(['paused', 'pausing'])

function units(count: number): string {
  return `${count} unit${count === 1 ? '' : 's'}`
}

/** Only a hold for review is decided here; one for permission has no review and is a person's at the terminal. */
export function isHeldForReview(job: JobView): boolean {
  return job.state === 'awaiting_approval' && job.review !== undefined
}

export function isHeldForPermission(job: JobView): boolean {
  return job.state === 'awaiting_approval' && job.review === undefined
}

/** @returns what can be done with the job as it is now, most wanted first */
export function actionsFor(job: JobView): readonly JobAction[] {
  if (isFinal(job.state)) return reruns(job)
  const actions: JobAction[] = []
  if (isHeldForReview(job)) actions.push(approve(job), reject(job))
  else if (resumable.has(job.state)) actions.push(act('resume', 'Resume', 'resume_job', { ids: [job.id] }))
  else if (job.state !== 'awaiting_approval' && job.state !== 'cancelling') {
    actions.push(act('pause', 'Pause', 'pause_job', { ids: [job.id] }))
  }
  if (job.state !== 'cancelling') actions.push(cancel(job))
  return actions
}

function act(
  name: ActionName,
  label: string,
  tool: string,
  input: Readonly<Record<string, unknown>>,
  more: Partial<Pick<JobAction, 'confirm' | 'isSubmit'>> = {},
): JobAction {
  return { name, label, tool, input, confirm: null, isSubmit: false, ...more }
}

function approve(job: JobView): JobAction {
  const waiting = job.review?.units_waiting ?? 0
  const label = waiting > 0 ? `Approve the other ${units(waiting)}` : 'Approve the rest'
  return act('approve', label, 'decide_job', { id: job.id, decision: 'approve' })
}

function reject(job: JobView): JobAction {
  return act(
    'reject',
    'Reject',
    'decide_job',
    { id: job.id, decision: 'reject' },
    {
      confirm: {
        question: 'Reject the rest? Its units are cancelled for good.',
        yes: 'Yes, reject',
        no: 'Keep it held',
      },
    },
  )
}

function cancel(job: JobView): JobAction {
  const question = 'Cancel this job? What runs is stopped. This cannot be undone.'
  return act(
    'cancel',
    'Cancel',
    'cancel_job',
    { ids: [job.id] },
    { confirm: { question, yes: 'Yes, cancel it', no: 'Let it go on' } },
  )
}

function reruns(job: JobView): readonly JobAction[] {
  const again = act('rerun', 'Re-run', 'rerun_job', { id: job.id }, { isSubmit: true })
  const isBatch = (job.counts?.total ?? 1) > 1 || (job.units_waiting ?? 0) > 0
  if (!isBatch || job.state === 'completed') return [again]
  const input = { id: job.id, only: 'not_completed' }
  const rest = act('rerun_rest', 'Re-run what did not complete', 'rerun_job', input, { isSubmit: true })
  return [rest, { ...again, label: 'Re-run all units' }]
}

/** What came of an action, in a sentence; `opens` is the id of a job that it made. */
export interface ActionOutcome {
  readonly text: string
  readonly isGood: boolean
  readonly opens: string | null
}

interface AnyAnswer {
  readonly id?: string
  readonly job?: { readonly state?: string; readonly why?: string }
  readonly jobs?: readonly { readonly outcome?: string; readonly why?: string }[]
}

const refusals: ReadonlySet<string> = new Set(['not_found', 'refused', 'already_final', 'unchanged'])

/** @returns the sentence for the answer of the action's tool */
export function outcomeOf(action: JobAction, given: unknown): ActionOutcome {
  const answer = given as AnyAnswer
  if (action.isSubmit) return { text: 'Submitted again as a new job.', isGood: true, opens: answer.id ?? null }
  const one = answer.jobs?.[0]
  if (one !== undefined) {
    const { outcome = '', why = '' } = one
    return { text: sentence(outcome, why), isGood: !refusals.has(outcome), opens: null }
  }
  const done = action.name === 'approve' ? 'approved' : 'rejected'
  return { text: sentence(done, answer.job?.why ?? ''), isGood: true, opens: null }
}

function sentence(outcome: string, why: string): string {
  const word = outcome.replaceAll('_', ' ')
  const head = word.charAt(0).toUpperCase() + word.slice(1)
  return why === '' || why.startsWith(word)
    ? `${why === '' ? head : why.charAt(0).toUpperCase() + why.slice(1)}.`
    : `${head}: ${why}.`
}
