import type { Json } from '../../domain/job.ts'

/** @returns what a handler returned, out of its wrapping; any other output as it is */
export function shownResult(output: Json): Json {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return output
  const { result, ...rest } = output
  return result === undefined || Object.keys(rest).length > 0 ? output : result
}
