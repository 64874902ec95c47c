import { answerCharacters } from '../config/answer-limit.ts'
import { restOf } from './rest-of-answer.ts'

export type Cut<Answer> = (answer: Answer) => Answer

interface Answered {
  readonly next: string
}

/**
 * Makes an answer smaller, mildest cut first, until it fits, and says so in `next`. What cannot be cut stays: nothing
 * that was asked for by name is left out silently.
 * @param tool whose answer it is
 */
export function fitAnswer<Answer extends Answered>(answer: Answer, cuts: readonly Cut<Answer>[], tool: string): Answer {
  const rest = restOf(tool, answer as unknown as Record<string, unknown>)
  const room = answerCharacters() - JSON.stringify(rest).length
  let fitted = answer
  for (const cut of cuts) {
    if (JSON.stringify(fitted).length <= room) break
    fitted = cut(fitted)
  }
  return fitted === answer ? answer : { ...fitted, next: `${fitted.next} ${rest}` }
}
