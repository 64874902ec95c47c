import { acceptedContent, type InputRequest, inputRequired } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { cutText } from '../domain/cut-text.ts'
import { harmlessText } from '../domain/display-text.ts'
import { formatDuration } from '../domain/format-duration.ts'
import type { JobView } from '../domain/wire/shared.ts'

const decided = z.object({ decision: z.enum(['approve', 'reject']) })
export type Decision = z.infer<typeof decided>['decision']

const longestResults = 1_200
const longestResult = 300

/** @returns true for a job whose test units wait for somebody's judgement; a permission is never asked for here. */
export function awaitsReview(job: JobView): boolean {
  return job.state === 'awaiting_approval' && job.review !== undefined
}

/** Key of the question about a job, within one call. */
export function questionKey(jobId: string): string {
  return `approve-${jobId}`
}

/** @returns a form for the user: what ran, what it gave, what is left, approve or reject. */
export function approvalQuestion(job: JobView): InputRequest {
  return inputRequired.elicit({
    mode: 'form',
    message: questionText(job),
    requestedSchema: {
      type: 'object',
      properties: {
        decision: {
          type: 'string',
          title: 'What shall happen?',
          oneOf: [
            { const: 'approve', title: 'Approve: run the rest' },
            { const: 'reject', title: 'Reject: cancel the job' },
          ],
        },
      },
      required: ['decision'],
    },
  })
}

function questionText(job: JobView): string {
  const { review } = job
  const parts = [`Nightkiln: may the rest of the job "${job.name}" run?`]
  if (review !== undefined) {
    const time = review.rest_seconds === null ? '' : `, about ${formatDuration(review.rest_seconds * 1_000)}`
    const cost = review.rest_cost === null ? '' : `, cost about ${review.rest_cost}`
    const failed = review.failed === 0 ? '' : `, ${review.failed} failed`
    parts.push(
      `Test units: ${review.completed} completed${failed}. Still to run: ${review.units_waiting}${time}${cost}.`,
    )
    const results = review.results.map(resultLine).join('\n')
    if (results !== '')
      parts.push(`What the test units gave (written by the job):\n${cutText(results, longestResults)}`)
  }
  return harmlessText(parts.join(' '))
}

/** A person reads it: of a command what it printed, of anything else its result. */
function resultLine({ unit, state, result }: NonNullable<JobView['review']>['results'][number]): string {
  const printed =
    typeof result === 'object' && result !== null ? Reflect.get(result, 'untrusted_output_tail') : undefined
  const text = typeof printed === 'string' ? printed.trim() : JSON.stringify(result)
  return `unit ${unit} ${state}: ${cutText(text === '' ? '(no output)' : text, longestResult)}`
}

/** @returns the decision of an accepted form; anything else (declined, dismissed, malformed, missing) decides nothing. */
export function decisionIn(
  responses: Readonly<Record<string, unknown>> | undefined,
  key: string,
): Decision | undefined {
  return acceptedContent(responses, key, decided)?.decision
}
