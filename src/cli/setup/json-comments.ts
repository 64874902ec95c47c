/**
 * JSON with comments and trailing commas, as VS Code writes it. What JSON does not know is replaced by spaces, so that
 * every offset stays what it was.
 */

interface Blanked {
  /** Comments are spaces, the line feeds in them too. */
  readonly withoutComments: string
  /** Trailing commas are spaces as well: plain JSON. */
  readonly strict: string
}

const spaces = (count: number) => ' '.repeat(count)

/** A text in quotes; unrolled, so that a long one needs no long memory of the matcher. */
const quoted = '"[^"\\\\]*(?:\\\\[\\s\\S][^"\\\\]*)*"'
const comments = new RegExp(`${quoted}|//[^\\r\\n]*|/\\*[\\s\\S]*?\\*/`, 'g')
const lastCommas = new RegExp(`${quoted}|,(?=[ \\t\\r\\n]*[\\]}])`, 'g')

/** @returns a text of the same length without comments, and one without trailing commas; other faults stay in it. */
export function blankExtras(text: string): Blanked {
  const withoutComments = text.replace(comments, (part) => (part.startsWith('"') ? part : spaces(part.length)))
  const strict = withoutComments.replace(lastCommas, (part, offset: number) =>
    part === ',' && followsValue(withoutComments, offset) ? ' ' : part,
  )
  return { withoutComments, strict }
}

/** `[,]` and `{,}` are wrong with and without trailing commas. */
function followsValue(text: string, comma: number): boolean {
  let index = comma - 1
  while (/[ \t\r\n]/.test(text[index] ?? '')) index -= 1
  return !/^[[{,:]?$/.test(text[index] ?? '')
}

/** @returns plain JSON of the same length as a text that may hold comments and trailing commas. */
export function strictJson(text: string): string {
  return blankExtras(text).strict
}
