/**
 * What a terminal or a model could take for an order or never show to a person: C0 and C1 controls but \n and \t,
 * line and paragraph separators, bidirectional overrides, invisible marks, interlinear and tag characters, lone surrogates.
 */
const harmful =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Surrogate}]/gu

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}

/**
 * Makes text from a job or another program safe to show: control and invisible characters become visible escapes such
 * as `\x1b`, a Windows line end becomes `\n`. Applying it twice changes nothing more.
 */
export function harmlessText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(harmful, escaped)
}

/** @returns a copy of a JSON value with every text in it, keys included, made harmless. */
export function harmlessJson<Value>(value: Value): Value {
  return harmlessValue(value) as Value
}

function harmlessValue(value: unknown): unknown {
  if (typeof value === 'string') return harmlessText(value)
  if (Array.isArray(value)) return value.map(harmlessValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [harmlessText(key), harmlessValue(item)]))
}
