import { QueueError } from '../domain/errors.ts'

const variable = 'NIGHTKILN_MAX_ANSWER_CHARACTERS'
export const usualAnswerCharacters = 20_000
const fewestCharacters = 2_000
const mostCharacters = 400_000

/**
 * @returns characters of JSON that the answer of a tool may have: the setting NIGHTKILN_MAX_ANSWER_CHARACTERS, 20,000 without it.
 * Read at each answer, so that a bad value is an error of the call that meets it.
 * @throws QueueError config_invalid naming the bad value
 */
export function answerCharacters(environment: Readonly<Record<string, string | undefined>> = process.env): number {
  const text = environment[variable]?.trim()
  if (text === undefined || text === '') return usualAnswerCharacters
  const characters = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (characters >= fewestCharacters && characters <= mostCharacters) return characters
  throw new QueueError('config_invalid', `${variable} is ${JSON.stringify(text)}`, {
    remedy: `Set it to a whole number from ${fewestCharacters} to ${mostCharacters}, or remove it: ${usualAnswerCharacters} without it.`,
  })
}
