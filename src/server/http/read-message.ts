import { isUtf8 } from 'node:buffer'
import { largestBodyBytes, tooLarge } from './guard.ts'
import { busy, refusal, rpcCode } from './refusal.ts'

/** What is read, or the answer to a body that is not taken. */
export type ReadMessage = { readonly message: unknown } | { readonly refused: Response }

/**
 * Reads the JSON of a request. Bytes are counted as they arrive: a chunked body declares no size, and a declared one may be a lie.
 * @param reserve asks for room for further bytes; false when the process holds too much already
 */
export async function readMessage(
  body: AsyncIterable<Uint8Array> | null,
  reserve: (bytes: number) => boolean,
): Promise<ReadMessage> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.byteLength
      if (bytes > largestBodyBytes) return { refused: tooLarge() }
      if (!reserve(chunk.byteLength)) {
        return { refused: busy('The server holds too many large messages at once. Send this one again in a moment.') }
      }
      chunks.push(chunk)
    }
  } catch {
    return { refused: refusal(400, 'The connection ended before the message did.', { code: rpcCode.parseError }) }
  }
  const text = Buffer.concat(chunks, bytes)
  // Read with replacement characters, a path would name another file.
  if (!isUtf8(text)) {
    return {
      refused: refusal(400, 'The body is not UTF-8. Send the message again in UTF-8.', { code: rpcCode.parseError }),
    }
  }
  try {
    return { message: JSON.parse(text.toString('utf8')) as unknown }
  } catch {
    return {
      refused: refusal(400, 'The body is not JSON. Send one JSON-RPC message.', { code: rpcCode.parseError }),
    }
  }
}
