import type { HandlerDefinition } from '../../../handler/define-handler.ts'
import { jsonProblem } from '../../../handler/json-problem.ts'
import { nothingReturned } from '../../../handler/nothing-returned.ts'
import { attemptNames } from '../attempt-names.ts'
import { type Failure, failure } from '../failure.ts'
import type { AttemptRun } from './attempt-run.ts'
import { parseWith, sentencesOf } from './checked-input.ts'
import { writeJson } from './intrinsics.ts'

const inlineBytes = 256 * 1024
const largestBytes = 64 * 1024 * 1024

/** @returns the JSON of the result, or why it cannot be taken */
export async function checkResult(
  handler: HandlerDefinition,
  attempt: AttemptRun,
  returned: unknown,
): Promise<{ readonly text: string } | Failure> {
  const parsed = await parseWith(handler.result, returned)
  if (returned === undefined && (!parsed.success || parsed.data === undefined))
    return invalid(nothingReturned(handler.result))
  if (!parsed.success) return invalid(await sentencesOf('result', handler.result, returned, parsed.error))
  const problem = jsonProblem(parsed.data, 'result')
  if (problem !== null) return invalid(problem)
  const text = writeResult(parsed.data)
  // A character has three bytes at most.
  if (text !== null && text.length * 3 <= inlineBytes) return { text }
  const bytes = text === null ? Number.POSITIVE_INFINITY : Buffer.byteLength(text)
  if (text === null || bytes > largestBytes)
    return invalid(tooLarge(bytes), 'Keep large results as an artifact and return what is small.')
  if (bytes <= inlineBytes) return { text }
  await attempt.artifacts.keepResult(text)
  return { text: writeJson({ artifact: attemptNames.largeResult, bytes }) }
}

/** @returns null when it is longer than a text can be */
function writeResult(value: unknown): string | null {
  try {
    return writeJson(value)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

function tooLarge(bytes: number): string {
  const size = Number.isFinite(bytes) ? `${Math.ceil(bytes / 1024 / 1024)} MiB` : 'more than 512 MiB'
  return `result has ${size} as JSON, and may have ${largestBytes / 1024 / 1024} MiB at most: keep it as an artifact`
}

function invalid(message: string, remedy = 'Correct the handler: what run returns, or its result schema.'): Failure {
  return failure('result_invalid', message, 'never', {}, remedy)
}
