import { cutText } from '../../../domain/cut-text.ts'
import { harmlessText } from '../../../domain/display-text.ts'

/** @returns text of other people for a message: short and harmless */
export function shownText(text: string, length = 200): string {
  return harmlessText(cutText(text, length))
}

/** @returns a URL for a message; queries often hold keys */
export function shownUrl(url: URL): string {
  return shownText(`${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`)
}
