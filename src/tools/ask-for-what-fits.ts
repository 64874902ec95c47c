import type { CallToolResult } from '@modelcontextprotocol/server'
import { answerCharacters } from '../config/answer-limit.ts'
import { harmlessJson } from '../domain/display-text.ts'
import type { OperationName } from '../domain/wire/operations.ts'
import type { OngoingCall } from './define-tool.ts'

const mostRounds = 5
/** A part of the room is kept free: what is left after a cut is seldom as dense as the whole. */
const mostEscaped = 8
const usedShare = 0.9

/**
 * Asks the manager again for less while its answer is too long, so that offsets and cursors in it are true.
 * @param size key of the request that says how much is wanted
 * @param least smallest value of it
 */
export async function askForWhatFits<Name extends OperationName>(
  on: OngoingCall<Name>,
  name: Name,
  size: 'limit' | 'max_bytes',
  least: number,
): Promise<CallToolResult> {
  const most = answerCharacters()
  let request = await on.request()
  let answer = await on.ask(name, request)
  for (let round = 1; round < mostRounds; round += 1) {
    // Escapes make a text longer, by less than this.
    if (JSON.stringify(answer).length * mostEscaped <= most) break
    const characters = JSON.stringify(harmlessJson(answer)).length
    const wanted: unknown = Reflect.get(request, size) ?? characters
    if (characters <= most || typeof wanted !== 'number' || wanted <= least) break
    const fewer = Math.max(least, Math.floor((wanted * most * usedShare) / characters))
    request = { ...request, [size]: fewer }
    answer = await on.ask(name, request)
  }
  return on.finish(answer)
}
