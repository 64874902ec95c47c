import { harmlessJson } from '../../domain/display-text.ts'
import {
  type OperationAnswer,
  type OperationName,
  type OperationRequest,
  operations,
} from '../../domain/wire/operations.ts'
import { shapedAnswer } from '../../tools/answer-shape.ts'
import { answerDeadlineMs, type ToolHost } from '../../tools/define-tool.ts'

/** What asks the manager; made at the first use, so that a server which nobody asks starts nothing. */
export type LazyHost = () => Promise<ToolHost>

/**
 * Asks the manager; starts it where none runs.
 * @param signal ends the question, never a job
 * @returns the answer in the promised form, harmless to show
 * @throws QueueError as the manager answered, or manager_unavailable
 */
export async function askManager<Name extends OperationName>(
  host: LazyHost,
  name: Name,
  request: OperationRequest<Name>,
  signal: AbortSignal,
): Promise<OperationAnswer<Name>> {
  const ends = AbortSignal.any([signal, AbortSignal.timeout(answerDeadlineMs)])
  const answer = await (await host()).call(name, request, ends)
  return harmlessJson(shapedAnswer(operations[name].answer, answer, name)) as OperationAnswer<Name>
}
