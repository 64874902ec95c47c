/**
 * Shortens text to at most `length` UTF-16 units, the ending included; never inside a surrogate pair.
 * @param ending what shows that something is missing
 */
export function cutText(text: string, length: number, ending = '…'): string {
  if (text.length <= length) return text
  return text.slice(0, length - ending.length).replace(/[\ud800-\udbff]$/, '') + ending
}
