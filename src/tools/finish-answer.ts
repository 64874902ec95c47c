import type { CallToolResult } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import { answerCharacters } from '../config/answer-limit.ts'
import { harmlessJson } from '../domain/display-text.ts'
import { QueueError } from '../domain/errors.ts'
import { shapedAnswer } from './answer-shape.ts'
import { restOf } from './rest-of-answer.ts'
import { shrunk } from './shrink-answer.ts'

/** What of a tool its answers depend on. */
export interface AnswerForm {
  readonly name: string
  readonly schema: z.ZodType
  /** Makes an answer smaller that has more than `most` characters of JSON, the least needed first. */
  readonly fit?: (answer: unknown, most: number) => unknown
}

/**
 * Makes the answer of a tool of what the manager answered: in the promised form, harmless to show, never longer than
 * `answerCharacters`; the text is the structured content.
 * @throws QueueError internal when something promised is missing, config_invalid when the limit cannot be read
 */
export function finishAnswer(form: AnswerForm, answer: unknown, most = answerCharacters()): CallToolResult {
  const shaped: unknown = harmlessJson(shapedAnswer(form.schema, answer, form.name))
  const whole = JSON.stringify(shaped)
  if (whole.length <= most) return resultOf(shaped, whole)
  const short = shortened(form, shaped, most)
  return resultOf(short, JSON.stringify(short))
}

function resultOf(answer: unknown, text: string): CallToolResult {
  return { structuredContent: answer as Record<string, unknown>, content: [{ type: 'text', text }] }
}

function isLong(answer: unknown, most: number): boolean {
  return JSON.stringify(answer).length > most
}

function shortened(form: AnswerForm, answer: unknown, most: number): unknown {
  const fitted = form.fit?.(answer, most) ?? answer
  const short = isLong(fitted, most)
    ? shrunk(fitted as Record<string, unknown>, most, restOf(form.name, fitted as Record<string, unknown>))
    : fitted
  const checked = form.schema.safeParse(short)
  if (!isLong(short, most) && checked.success) return short
  throw new QueueError('internal', `the answer of ${form.name} could not be made to fit ${most} characters`, {
    remedy: 'Ask for less: fewer ids, a smaller limit or max_bytes; or raise NIGHTKILN_MAX_ANSWER_CHARACTERS.',
  })
}
