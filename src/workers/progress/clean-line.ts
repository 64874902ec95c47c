import { stripVTControlCharacters } from 'node:util'

const longestMessage = 200
const ellipsis = '…'
const loneSurrogates = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** @returns the line without terminal sequences, for parsing. */
export function stripTerminal(line: string): string {
  return line.includes('\u001b') || line.includes('\u009b') ? stripVTControlCharacters(line) : line
}

/** @returns the line for people: no control or direction characters, one space for many, at most 200 characters. */
export function cleanMessage(line: string): string {
  const text = line
    .replace(loneSurrogates, '\uFFFD')
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  if (text.length <= longestMessage) return text
  return `${text.slice(0, longestMessage - 1).replace(loneSurrogates, '')}${ellipsis}`
}
