import type { Json } from '../domain/job.ts'
import { CsvParser, type CsvRecord } from './csv-parser.ts'
import { assertColumns, type SourceItems, sourceError } from './source-item.ts'

export interface CsvOptions {
  readonly file: string
  readonly delimiter: string
  readonly header: boolean
}

/**
 * One unit a record: an object by column name, or without header an array. All values are text, as they stand in the file.
 * @throws QueueError invalid_input naming the line
 */
export async function* csvItems(text: AsyncIterable<string>, options: CsvOptions): SourceItems {
  const parser = new CsvParser(options)
  const table = new Table(options)
  for await (const piece of text) {
    for (const record of parser.push(piece)) yield* table.take(record)
  }
  const last = parser.end()
  if (last !== null) yield* table.take(last)
}

/** Turns records into units; the first one fixes the columns. */
class Table {
  readonly #options: CsvOptions
  #width: number | null = null
  #names: readonly string[] | null = null

  constructor(options: CsvOptions) {
    this.#options = options
  }

  *take({ fields, line }: CsvRecord): Generator<Json, void, undefined> {
    const { file, header } = this.#options
    if (this.#width === null) {
      this.#width = fields.length
      if (header) {
        assertColumns(fields, `line ${line} of ${file}`, 'Correct the header, or give header: false.')
        this.#names = fields
        return
      }
    }
    if (fields.length !== this.#width) {
      throw sourceError(
        `line ${line} of ${file} has ${fields.length} fields; the first line has ${this.#width}`,
        'Correct it; a field that holds the delimiter or a line end must be in quotes.',
      )
    }
    yield this.#names === null
      ? fields
      : Object.fromEntries(this.#names.map((name, column) => [name, fields[column] ?? '']))
  }
}
