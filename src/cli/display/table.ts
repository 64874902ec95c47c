import Table from 'cli-table3'
import type { Terminal } from './terminal.ts'
import { fitText, textWidth } from './text-width.ts'

export interface Column<Row> {
  readonly title: string
  readonly text: (row: Row) => string
  /** Applied after the text was cut. */
  readonly paint?: (row: Row) => (text: string) => string
  readonly align?: 'right'
  /** The one column that gives way when the terminal is narrow. */
  readonly flexible?: boolean
}

const gap = 2
const narrowest = 12

const noBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(gap),
}

/** @returns a table without borders; on a terminal every row takes one line, in a pipe nothing is cut. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], terminal: Terminal): string {
  const cells = rows.map((row) => columns.map((column) => terminal.harmless(column.text(row))))
  const widths = columns.map((column, index) =>
    Math.max(textWidth(column.title), ...cells.map((line) => textWidth(line[index] ?? ''))),
  )
  const flexible = columns.findIndex((column) => column.flexible === true)
  if (terminal.stdoutIsTerminal && flexible !== -1) {
    const others = widths.reduce(
      (sum, width, index) => sum + (index === flexible ? 0 : width),
      gap * (columns.length - 1),
    )
    widths[flexible] = Math.min(widths[flexible] ?? 0, Math.max(narrowest, terminal.columns - others - 1))
  }
  const table = new Table({
    chars: noBorders,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    head: columns.map((column) => terminal.colors.bold(column.title)),
    colAligns: columns.map((column) => column.align ?? 'left'),
  })
  rows.forEach((row, line) => {
    table.push(
      columns.map((column, index) => {
        const fitted = fitText(cells[line]?.[index] ?? '', widths[index] ?? 0)
        return column.paint === undefined ? fitted : column.paint(row)(fitted)
      }),
    )
  })
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
