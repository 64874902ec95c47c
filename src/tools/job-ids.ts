import { QueueError } from '../domain/errors.ts'
import { jobId } from '../domain/wire/shared.ts'

/** Some tools take one id, others several; a model that mixes them up is understood. */
export const singleId = jobId.optional().describe('One job id, instead of ids')

interface NamedJobs {
  readonly id?: string | undefined
  readonly ids?: readonly string[] | undefined
}

/** @returns the input with `id` put into `ids`; neither stays neither, for tools that also take a filter */
export function withIds<Input extends NamedJobs>(input: Input): Omit<Input, 'id' | 'ids'> & { ids?: string[] } {
  const { id, ids, ...others } = input
  if (id === undefined && ids === undefined) return others
  return { ...others, ids: [...new Set([...(ids ?? []), ...(id === undefined ? [] : [id])])] }
}

/**
 * @returns the ids that were given in either way
 * @throws QueueError invalid_input when neither was given
 */
export function idsOf(input: NamedJobs): string[] {
  const { ids = [] } = withIds(input)
  if (ids.length > 0) return ids
  throw new QueueError('invalid_input', 'no job was named', {
    remedy: 'Give ids: ["<job id>"] as answered by submit_job; list_jobs or whats_new find a lost id.',
  })
}
