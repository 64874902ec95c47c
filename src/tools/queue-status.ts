import { queueStatusRequest } from '../domain/wire/jobs.ts'
import { boardView } from './board-view.ts'
import { defineTool, readOnly } from './define-tool.ts'
import { fitAnswer } from './fit-answer.ts'

const shownRunning = 20
const shownTypes = 5

function withFewTypes<Worker extends { readonly job_types: readonly string[] }>(worker: Worker): Worker {
  return { ...worker, job_types: worker.job_types.slice(0, shownTypes) }
}

export const queueStatus = defineTool({
  name: 'queue_status',
  title: 'State of the queue',
  description: `
Tells how everything is: the manager process, free and busy slots, GPU workers (name, GPU, free slots, problem), queues with their limits and pauses, schedules, counts of jobs by state, the last 24 hours, what runs now, what was pruned, storage and warnings.

Use it when jobs do not start, when the user asks how busy the machine is, or when something about the queue seems wrong. test_gpu: true connects to each GPU worker, takes up to 20 s and says in gpu_tests what is wrong and what to do: use it when a job waits for a GPU worker or fell back. For single jobs use job_status or list_jobs; limits of a queue are changed by update_job, its pause by pause_job and resume_job.

Answers: manager, slots, gpu_workers, queues, schedules, jobs, last_24h, running, pruned, storage, warnings, next.`,
  example: {},
  input: queueStatusRequest,
  annotations: readOnly,
  meta: boardView,
  request: (input) => input,
  fit: (answer) =>
    fitAnswer(
      answer,
      [
        (current) => ({ ...current, running: current.running.slice(0, shownRunning) }),
        (current) => ({ ...current, gpu_workers: current.gpu_workers.map(withFewTypes) }),
        (current) =>
          current.gpu_tests === undefined ? current : { ...current, gpu_tests: current.gpu_tests.map(withFewTypes) },
      ],
      'queue_status',
    ),
})
