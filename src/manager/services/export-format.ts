import { cutText } from '../../domain/cut-text.ts'
import { harmlessText } from '../../domain/display-text.ts'
import type { Json } from '../../domain/job.ts'

/** A row of an export: the same columns in the same order for every row of a file. */
export type ExportRow = Readonly<Record<string, Json>>
export type ExportFormat = 'json' | 'csv' | 'markdown'

export const fileEndings: Readonly<Record<ExportFormat, string>> = { json: 'jsonl', csv: 'csv', markdown: 'md' }

/** A table is for reading; the other formats keep everything. */
const longestTableCell = 300

/** @returns what a file begins with. */
export function headOf(format: ExportFormat, columns: readonly string[]): string {
  if (format === 'json') return ''
  if (format === 'csv') return `${columns.map(csvCell).join(',')}\r\n`
  return `| ${columns.join(' | ')} |\n|${' --- |'.repeat(columns.length)}\n`
}

/** @returns a row with its line end. */
export function lineOf(format: ExportFormat, row: ExportRow): string {
  if (format === 'json') return `${JSON.stringify(row)}\n`
  const cells = Object.values(row)
  if (format === 'csv') return `${cells.map(csvCell).join(',')}\r\n`
  return `| ${cells.map(tableCell).join(' | ')} |\n`
}

/** Quoted where RFC 4180 asks for it. Text that a spreadsheet would compute as a formula gets a ' in front. */
function csvCell(value: Json): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : plainText(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function tableCell(value: Json): string {
  return cutText(harmlessText(plainText(value)).replaceAll(/\s+/g, ' '), longestTableCell).replaceAll(
    /[\\|<`]/g,
    '\\$&',
  )
}

function plainText(value: Json): string {
  if (value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
