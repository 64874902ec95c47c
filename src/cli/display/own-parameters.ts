import { QueueError } from '../../domain/errors.ts'

const parameter = /(^|; )params\.([^\s:]+)/g

/**
 * The options for the program, such as --stdin, are those of the type command: with another type a parameter of that name is one
 * like any other.
 * @param thrown what a call that submits parameters of the type threw
 * @returns the same with parameters called `--param NAME`
 */
export function withParametersOf(type: string, thrown: unknown): unknown {
  if (type === 'command' || !(thrown instanceof QueueError) || thrown.code !== 'invalid_input') return thrown
  const message = thrown.message.replace(parameter, '$1--param $2')
  const { remedy, details } = thrown
  return new QueueError(thrown.code, message, { remedy, details, cause: thrown })
}
