/** Characters of JSON that an answer should not exceed when the caller did not ask for more. */
export const usualAnswerCharacters = 20_000

export type Cut<Answer> = (answer: Answer) => Answer

interface Answered {
  readonly next: string
}

/**
 * Makes an answer smaller, mildest cut first, until it fits, and says so in `next`. What cannot be cut stays: nothing
 * that was asked for by name is left out silently.
 */
export function fitAnswer<Answer extends Answered>(answer: Answer, cuts: readonly Cut<Answer>[], note: string): Answer {
  let fitted = answer
  for (const cut of cuts) {
    if (JSON.stringify(fitted).length <= usualAnswerCharacters) break
    fitted = cut(fitted)
  }
  return fitted === answer ? answer : { ...fitted, next: `${fitted.next} ${note}` }
}
