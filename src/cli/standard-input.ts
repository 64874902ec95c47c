import { QueueError } from '../domain/errors.ts'
import type { Session } from './session.ts'

/**
 * @returns all of standard input as text
 * @throws QueueError invalid_input when it is a terminal: nobody would know that it waits
 */
export async function readStandardInput(session: Session, how: string): Promise<string> {
  if (session.stdin.isTTY === true) {
    throw new QueueError('invalid_input', 'standard input is asked for, but it is a terminal', {
      remedy: `Pipe something in: ${how}`,
    })
  }
  const parts: Buffer[] = []
  for await (const part of session.stdin) parts.push(Buffer.from(part))
  return Buffer.concat(parts).toString('utf8')
}
