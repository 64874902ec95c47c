/** A text on its way to a thread: a long one lies in memory that all threads share, so that no thread makes a copy to hand it on. */
export type PackedText = string | SharedArrayBuffer

const longLength = 64 * 1024
const encoder = new TextEncoder()

export function packText(text: string): PackedText {
  if (text.length <= longLength) return text
  const bytes = Buffer.byteLength(text)
  const shared = new SharedArrayBuffer(bytes)
  encoder.encodeInto(text, new Uint8Array(shared))
  return shared
}

export function unpackText(packed: PackedText): string {
  return typeof packed === 'string' ? packed : Buffer.from(packed).toString('utf8')
}
