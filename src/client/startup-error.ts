import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { type ErrorCode, errorCodes, QueueError } from '../domain/errors.ts'

const startupError = z.object({
  code: z.enum(errorCodes as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  remedy: z.string(),
})

/** @returns why a candidate ended instead of leading; null when it did not say. */
export function readStartupError(file: string): QueueError | null {
  try {
    const { code, message, remedy } = startupError.parse(JSON.parse(readFileSync(file, 'utf8')))
    return new QueueError(code, message, { remedy })
  } catch {
    return null
  }
}
