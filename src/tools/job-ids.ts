import { QueueError } from '../domain/errors.ts'
import { jobId } from '../domain/wire/shared.ts'

/** Some tools take one id, others several; a model that mixes them up is understood. */
export const singleId = jobId.optional().describe('One job id, instead of ids')

/**
 * @returns the ids that were given in either way
 * @throws QueueError invalid_input when neither was given
 */
export function idsOf(input: {
  readonly id?: string | undefined
  readonly ids?: readonly string[] | undefined
}): string[] {
  const ids = [...(input.ids ?? []), ...(input.id === undefined ? [] : [input.id])]
  if (ids.length > 0) return [...new Set(ids)]
  throw new QueueError('invalid_input', 'no job was named', {
    remedy: 'Give ids: ["<job id>"] as answered by submit_job; list_jobs or whats_new find a lost id.',
  })
}
