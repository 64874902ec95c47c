import { cutText } from '../domain/cut-text.ts'
import { harmlessText } from '../domain/display-text.ts'

const longestShown = 100

/** @returns text of a caller in quotes, cut and harmless, for a message. */
export function quoted(text: string): string {
  return JSON.stringify(harmlessText(cutText(text, longestShown)))
}
