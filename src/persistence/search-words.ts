import type { Json, JsonObject } from '../domain/job.ts'

const longestWord = 64
/** Characters of parameters that are searchable; the rest of a huge payload is not. */
const searchedCharacters = 16_384

const ascii = /^[\x00-\x7f]*$/
const asciiWord = /[a-z0-9]+/g
const word = /[\p{L}\p{N}\p{M}]+/gu
const diacritics = /[\u0300-\u036f]/g

/**
 * Cuts text into words for the index and for queries alike: letters, digits and marks, folded to lower case without
 * diacritics, each at most 64 characters.
 * @returns each word once
 */
export function searchWords(text: string): Set<string> {
  const found = ascii.test(text)
    ? text.toLowerCase().match(asciiWord)
    : text.normalize('NFKD').replace(diacritics, '').toLowerCase().match(word)
  const words = new Set<string>()
  for (const each of found ?? []) words.add(each.length > longestWord ? each.slice(0, longestWord) : each)
  return words
}

export interface SearchedText {
  readonly name: string
  readonly type: string
  readonly labels: Readonly<Record<string, string>>
  readonly params: JsonObject
  /** Message of the job's error. */
  readonly error: string | null
}

/** @returns the words of a job, separated by spaces, as the index keeps them. */
export function indexedWords(text: SearchedText): string {
  const parts = [text.name, text.type, text.error ?? '']
  for (const key in text.labels) parts.push(key, text.labels[key] ?? '')
  const budget = { left: searchedCharacters }
  collect(text.params, parts, budget)
  return [...searchWords(parts.join('\n'))].join(' ')
}

/** @returns an FTS5 query that wants every word of `text` as a prefix; null when it has no word, so nothing can match. */
export function searchQuery(text: string): string | null {
  const words = [...searchWords(text)]
  return words.length === 0 ? null : words.map((each) => `"${each}"*`).join(' AND ')
}

function collect(value: Json, parts: string[], budget: { left: number }): void {
  if (value === null || budget.left <= 0) return
  if (typeof value !== 'object') {
    const text = typeof value === 'string' ? value : String(value)
    parts.push(text.length > budget.left ? text.slice(0, budget.left) : text)
    budget.left -= text.length
    return
  }
  for (const [key, item] of Object.entries(value)) {
    if (!Array.isArray(value)) parts.push(key)
    budget.left -= key.length
    collect(item, parts, budget)
  }
}
