import type { Job } from '../../../domain/job.ts'
import type { Task } from '../../../domain/ports/task-store.ts'
import type { WaitAnswer } from '../../../domain/wire/jobs.ts'
import type { TaskView } from '../../../domain/wire/tasks.ts'
import { jobLine } from '../job-view.ts'
import type { ServiceContext } from '../service-context.ts'
import { judgeTask, questionKey, type TaskVerdict } from './judge-task.ts'

/** Ms between two looks, by the age of the task in ms: what ends soon is seen soon, and a night of waiting costs little. */
const pollIntervals = [
  { untilAgeMs: 30_000, everyMs: 1_000 },
  { untilAgeMs: 600_000, everyMs: 3_000 },
] as const
const longestPollMs = 10_000

/** @returns a task as its client sees it. One that has ended is shown as it was then, and reads nothing of its jobs. */
export function taskView(context: ServiceContext, task: Task): TaskView {
  const now = context.clock.now()
  const common = {
    tool: task.tool,
    ids: [...task.ids],
    created_at: iso(task.createdAt),
    poll_interval_ms: pollIntervalMs(now - task.createdAt),
    questions: [],
    submitted: task.submitted as TaskView['submitted'],
    outcome: null,
  }
  if (task.cancelledAt !== null) {
    return { ...common, status: 'cancelled', why: whyCancelled(task), updated_at: iso(task.cancelledAt) }
  }
  if (task.settledAt !== null) {
    const outcome = task.outcome as unknown as WaitAnswer
    return { ...common, status: 'completed', why: whyCompleted(outcome), outcome, updated_at: iso(task.settledAt) }
  }
  const verdict = judgeTask(context.store, task)
  const open = { ...common, why: whyOpen(context, task, verdict), updated_at: iso(lastChangeOf(context, task)) }
  if (verdict.kind !== 'asks') return { ...open, status: 'working' }
  return { ...open, status: 'input_required', questions: verdict.jobs.map((job) => questionOf(job)) }
}

/** @param ageMs negative where the clock was set back */
function pollIntervalMs(ageMs: number): number {
  return pollIntervals.find(({ untilAgeMs }) => ageMs < untilAgeMs)?.everyMs ?? longestPollMs
}

function questionOf(job: Job): TaskView['questions'][number] {
  return { key: questionKey(job), job_id: job.id }
}

/** Wall ms. */
function lastChangeOf({ store }: ServiceContext, task: Task): number {
  const newest = store.latestEventIdOfJobs(task.jobIds)
  const [event] = newest === 0 ? [] : store.readEvents(newest - 1, 1)
  return Math.max(task.createdAt, event?.createdAt ?? 0)
}

function whyOpen(context: ServiceContext, task: Task, verdict: TaskVerdict): string {
  const jobs = context.store.readJobs(task.jobIds)
  const [only] = jobs
  const total = jobs.length + task.deletedJobs
  if (only !== undefined && total === 1) {
    const { why, progress } = jobLine(context, only)
    return progress?.percent == null ? why : `${why}, ${progress.percent} %`
  }
  const ended = endedOf(total - jobs.filter((job) => job.finishedAt === null).length, total)
  return verdict.kind === 'asks' ? `${ended}; the others wait for approval` : ended
}

function whyCompleted({ jobs, missing }: WaitAnswer): string {
  const [only] = jobs
  if (only !== undefined && jobs.length + missing.length === 1) return only.why
  return endedOf(jobs.filter((job) => job.final).length, jobs.length)
}

function whyCancelled({ tool }: Task): string {
  return tool === 'submit_job' ? 'cancelled, and its job with it' : 'the wait was cancelled; its jobs go on'
}

function endedOf(ended: number, total: number): string {
  return `${ended} of ${total} jobs have ended`
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
