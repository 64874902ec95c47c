import { QueueError } from '../domain/errors.ts'
import type { UnitSource } from '../domain/wire/units.ts'
import { csvItems } from './csv-items.ts'
import { globItems } from './glob-items.ts'
import { jsonItems } from './json-items.ts'
import { lineItems } from './line-items.ts'
import { readText } from './read-text.ts'
import { type SourceItems, sourceError } from './source-item.ts'

/** Reads SQLite; given by whoever may load the native driver. */
export type SqliteItems = (file: string, query: string) => SourceItems

/**
 * @param cwd directory of the job: where a glob without root looks
 * @returns the units of a source, one after the other
 * @throws QueueError invalid_input in words that name pattern, file or query
 */
export function enumerate(source: UnitSource, cwd: string | null, sqliteItems: SqliteItems): SourceItems {
  switch (source.kind) {
    case 'glob': {
      const root = source.root ?? cwd
      if (root === null)
        throw sourceError(`the pattern "${source.pattern}" has no root`, 'Give root: the directory to look in.')
      return globItems({ pattern: source.pattern, root, exclude: source.exclude ?? [] })
    }
    case 'lines':
      return lineItems(readText(source.file), { file: source.file, skipEmpty: source.skip_empty })
    case 'csv':
      return csvItems(readText(source.file), source)
    case 'json':
      return jsonItems(source.file, source.path)
    case 'sqlite':
      return sqliteItems(source.file, source.query)
    case 'range':
      throw new QueueError('internal', 'a range is not enumerated')
  }
}

/** @returns the error for a source without units, naming what was looked at. */
export function emptySource(source: UnitSource, cwd: string | null): QueueError {
  switch (source.kind) {
    case 'glob':
      return sourceError(
        `nothing matches "${source.pattern}" below ${source.root ?? cwd}${(source.exclude ?? []).length > 0 ? ` but what exclude leaves out` : ''}`,
        'Correct pattern, root or exclude. **/*.pdf looks in all folders, *.pdf in one; capital letters count.',
      )
    case 'sqlite':
      return sourceError(
        `the query gave no rows from ${source.file}: ${source.query}`,
        'Correct the query or the file.',
      )
    case 'json':
      return sourceError(
        `the array${source.path === '' ? '' : ` "${source.path}"`} of ${source.file} is empty`,
        'Correct the file or path.',
      )
    case 'csv':
      return sourceError(
        `${source.file} has no records${source.header ? ' below its header' : ''}`,
        'Correct the file, or give header: false when it has none.',
      )
    case 'lines':
      return sourceError(`${source.file} has no lines`, 'Correct the file.')
    case 'range':
      return sourceError('the range is empty', 'Correct from, to or step.')
  }
}
