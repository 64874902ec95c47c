/** Of the last lines that are shown with an attempt. */
export const tailBytes = 4 * 1024

/**
 * @param cut true when bytes before these exist: a half first line is left out
 * @returns text of at most 4 KiB in UTF-8, invalid bytes and NUL replaced
 */
export function tailText(bytes: Uint8Array, cut: boolean): string {
  const newline = bytes.indexOf(0x0a)
  // A first line that fills most of the tail is kept, half or not.
  const whole = cut && newline >= 0 && newline < bytes.length / 2 ? bytes.subarray(newline + 1) : bytes
  let text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(whole).replaceAll('\0', '\uFFFD')
  // One invalid byte becomes three.
  let excess = Buffer.byteLength(text) - tailBytes
  while (excess > 0) {
    let start = Math.min(text.length, Math.ceil(excess / 3))
    if (isLowSurrogate(text.charCodeAt(start))) start++
    text = text.slice(start)
    excess = Buffer.byteLength(text) - tailBytes
  }
  return text
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
