import { answerCharacters } from '../../config/answer-limit.ts'
import { shrunk } from '../../tools/shrink-answer.ts'

/**
 * Writes a value as JSON that is never longer than an answer may be.
 * @param cuts make it smaller, mildest first; what is then still too long is cut text by text, list by list
 * @param rest where the rest is; stands in `next` as soon as something was cut
 */
export function boundedJson<Value extends { readonly next: string }>(
  value: Value,
  cuts: readonly ((value: Value) => Value)[],
  rest: string,
): string {
  const most = answerCharacters()
  let text = JSON.stringify(value)
  let fitted = value
  for (const cut of cuts) {
    if (text.length <= most) return text
    fitted = cut(fitted)
    text = JSON.stringify({ ...fitted, next: `${fitted.next} ${rest}` })
  }
  return text.length <= most ? text : JSON.stringify(shrunk(fitted, most, rest))
}
