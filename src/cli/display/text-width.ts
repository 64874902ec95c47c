/** Scripts and pictures that take two columns in a terminal; close enough for tables and bars. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const invisible = /\p{Mn}|\p{Me}|[\u200b-\u200d]|\ufe0f/u

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
