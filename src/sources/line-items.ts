import { largestUnitBytes } from '../domain/enumeration.ts'
import type { SourceItems } from './source-item.ts'
import { sourceError } from './source-item.ts'

/**
 * One unit a line: its text, without LF or CRLF. The end of the last line is no line of its own.
 * @param text the file in pieces of any size
 * @throws QueueError invalid_input for a line that is too long or not text
 */
export async function* lineItems(
  text: AsyncIterable<string>,
  options: { readonly file: string; readonly skipEmpty: boolean },
): SourceItems {
  let line = 1
  let rest = ''
  const take = (raw: string): string | null => {
    const item = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    assertLine(item, line, options.file)
    line += 1
    return options.skipEmpty && item.trim() === '' ? null : item
  }
  for await (const piece of text) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    for (const raw of lines) {
      const item = take(raw)
      if (item !== null) yield item
    }
    assertLine(rest, line, options.file)
  }
  if (rest === '') return
  const item = take(rest)
  if (item !== null) yield item
}

function assertLine(text: string, line: number, file: string): void {
  if (text.length > largestUnitBytes) {
    throw sourceError(
      `line ${line} of ${file} is longer than ${largestUnitBytes} characters`,
      'Is it a file of lines? Put large input into files and list their paths.',
    )
  }
  if (text.includes('\0')) {
    throw sourceError(`line ${line} of ${file} holds a NUL character`, 'Give a text file; this one looks binary.')
  }
}
