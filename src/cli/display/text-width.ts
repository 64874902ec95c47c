/** Scripts and pictures that take two columns in a terminal; close enough for tables and bars. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const invisible = /\p{Mn}|\p{Me}|[\u200b-\u200d]|\ufe0f/u
/** Our own colours; text of others has no escape character left when it gets here. */
const colors = /\u001b\[[0-9;]*m/g

function characterWidth(character: string): number {
  if (invisible.test(character)) return 0
  return wide.test(character) ? 2 : 1
}

/** @returns columns that plain text (no escape sequences) takes. */
export function textWidth(text: string): number {
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

/** @returns columns that text takes on the screen, its colours left out. */
export function shownWidth(text: string): number {
  return textWidth(text.replace(colors, ''))
}

/** @returns the text cut to so many columns, with a mark at the end when something is missing. */
export function fitText(text: string, columns: number, mark = '…'): string {
  if (textWidth(text) <= columns) return text
  const room = columns - textWidth(mark)
  if (room <= 0) return mark.slice(0, Math.max(0, columns))
  let kept = ''
  let width = 0
  for (const character of text) {
    width += characterWidth(character)
    if (width > room) break
    kept += character
  }
  return kept + mark
}

/** @returns the text filled with spaces to so many columns. */
export function padText(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - textWidth(text)))
}

/** One piece of a line and how it is coloured. */
export type Piece = readonly [text: string, paint?: (text: string) => string]

/** @returns pieces side by side, cut to so many columns together; coloured after the cut. */
export function fitPieces(pieces: readonly Piece[], columns: number): string {
  let left = columns
  let line = ''
  for (const [text, paint] of pieces) {
    const fitted = fitText(text, left)
    left -= textWidth(fitted)
    line += paint === undefined || fitted === '' ? fitted : paint(fitted)
    if (fitted !== text) break
  }
  return line
}

/**
 * @param indent put before every line but the first
 * @returns the text in lines of at most so many columns, broken at spaces; a longer word keeps a line of its own
 */
export function wrapText(text: string, columns: number, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  let empty = true
  for (const word of text.split(' ')) {
    if (!empty && shownWidth(line) + 1 + shownWidth(word) > columns) {
      lines.push(line)
      line = indent + word
    } else line = empty ? word : `${line} ${word}`
    empty = false
  }
  return [...lines, line]
}
