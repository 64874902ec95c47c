import type { z } from 'zod'
import { QueueError } from '../errors.ts'

/** @returns one error that names every bad argument by its path. */
export function invalidInput(error: z.ZodError, prefix?: string): QueueError {
  const lines = error.issues.slice(0, 5).map((issue) => {
    const path = [...(prefix === undefined ? [] : [prefix]), ...issue.path.map(String)].join('.')
    return path === '' ? issue.message : `${path}: ${issue.message}`
  })
  const more = error.issues.length - lines.length
  return new QueueError('invalid_input', lines.join('; ') + (more > 0 ? `; and ${more} more` : ''))
}
