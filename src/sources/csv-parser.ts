import { largestUnitBytes } from '../domain/enumeration.ts'
import { sourceError } from './source-item.ts'

/** One record and the line on which it begins, from 1. */
export interface CsvRecord {
  readonly line: number
  readonly fields: string[]
}

/** Where the parser stands within a record. */
type Place = 'start_of_field' | 'plain' | 'quoted' | 'quote_in_quoted'

/**
 * Reads CSV (RFC 4180) piece by piece: quotes, doubled quotes and line ends within quotes; LF and CRLF. Lines with nothing on
 * them are no records. Feed it with `push`, then `end`.
 */
export class CsvParser {
  readonly #delimiter: string
  readonly #file: string
  #place: Place = 'start_of_field'
  #line = 1
  #recordLine = 1
  #recordLength = 0
  #fields: string[] = []
  #field = ''
  /** A CR that may be the first half of a line end. */
  #pendingReturn = false

  constructor(options: { readonly delimiter: string; readonly file: string }) {
    this.#delimiter = options.delimiter
    this.#file = options.file
    if (/["\r\n]/.test(options.delimiter))
      throw sourceError('the delimiter cannot be a quote or a line end', 'Give a delimiter such as "," or ";".')
  }

  /** Gives the records that end in this piece. @throws QueueError invalid_input naming the line */
  *push(text: string): Generator<CsvRecord, void, undefined> {
    for (let at = 0; at < text.length; at += 1) {
      const run = this.#plainRun(text, at)
      if (run > at) {
        this.#append(text.slice(at, run))
        at = run - 1
      } else {
        const record = this.#take(text.charAt(at))
        if (record !== null) yield record
      }
    }
  }

  /** @returns the last record, when the text does not end with a line end. */
  end(): CsvRecord | null {
    if (this.#place === 'quoted')
      throw this.#wrong(
        this.#recordLine,
        'begins with a quote that is never closed',
        'Close it, or double quotes within quotes.',
      )
    return this.#endRecord()
  }

  /** @returns the end of the characters from `at` that mean nothing but themselves. */
  #plainRun(text: string, at: number): number {
    if (this.#pendingReturn || this.#place === 'quote_in_quoted') return at
    let end = at
    while (end < text.length) {
      const character = text.charAt(end)
      if (character === '"' || character === '\n' || character === '\r' || character === '\0') break
      if (character === this.#delimiter && this.#place !== 'quoted') break
      end += 1
    }
    if (end > at && this.#place === 'start_of_field') this.#place = 'plain'
    return end
  }

  #take(character: string): CsvRecord | null {
    if (character === '\0')
      throw this.#wrong(this.#line, 'holds a NUL character', 'Give a text file; this one looks binary.')
    if (this.#pendingReturn) {
      this.#pendingReturn = false
      if (character !== '\n')
        throw this.#wrong(this.#line, 'holds a carriage return that ends no line', 'Put it in quotes, or remove it.')
      return this.#endRecord()
    }
    if (character === '\n' && this.#place !== 'quoted') return this.#endRecord()
    if (this.#place === 'quoted') {
      if (character === '"') this.#place = 'quote_in_quoted'
      else this.#append(character)
    } else if (character === '"') this.#quote()
    else if (character === this.#delimiter) this.#endField()
    else if (character === '\r') this.#pendingReturn = true
    else throw this.#wrong(this.#line, 'has text behind a closing quote', 'Double quotes within quotes: "a ""b"" c".')
    return null
  }

  #quote(): void {
    if (this.#place === 'plain')
      throw this.#wrong(
        this.#line,
        'has a quote within a field that is not quoted',
        'Put the field in quotes and double the quote.',
      )
    if (this.#place === 'quote_in_quoted') this.#append('"')
    this.#place = 'quoted'
  }

  #append(text: string): void {
    this.#field += text
    this.#recordLength += text.length
    if (text === '\n') this.#line += 1
    if (this.#recordLength > largestUnitBytes)
      throw this.#wrong(
        this.#recordLine,
        `begins a record of more than ${largestUnitBytes} characters`,
        'Is a quote not closed? Put large input into files and list their paths.',
      )
  }

  #endField(): void {
    this.#fields.push(this.#field)
    this.#field = ''
    this.#place = 'start_of_field'
  }

  /** @returns null when there was nothing on the line */
  #endRecord(): CsvRecord | null {
    const isBlank = this.#fields.length === 0 && this.#field === '' && this.#place === 'start_of_field'
    this.#endField()
    const record = isBlank ? null : { line: this.#recordLine, fields: this.#fields }
    this.#fields = []
    this.#recordLength = 0
    this.#line += 1
    this.#recordLine = this.#line
    this.#pendingReturn = false
    return record
  }

  #wrong(line: number, why: string, remedy: string) {
    return sourceError(`line ${line} of ${this.#file} ${why}`, remedy)
  }
}
