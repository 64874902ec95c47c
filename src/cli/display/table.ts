import Table from 'cli-table3'
import type { Terminal } from './terminal.ts'
import { fitText, textWidth } from './text-width.ts'

export interface Column<Row> {
  readonly title: string
  readonly text: (row: Row) => string
  /** Applied after the text was cut. */
  readonly paint?: (row: Row) => (text: string) => string
  readonly align?: 'right'
  /** Gives way in a narrow terminal down to `least`; the smallest order first. */
  readonly shrink?: { readonly order: number; readonly least: number }
  /** Left out when even the least widths do not fit, smallest first. */
  readonly drop?: number
  /** Widest on a terminal. */
  readonly most?: number
}

const gap = 2

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

interface Measured<Row> {
  readonly column: Column<Row>
  readonly cells: readonly string[]
  readonly width: number
}

/** @returns the columns that stay, with their widths, so that a row takes at most `room`. */
function fitColumns<Row>(columns: readonly Measured<Row>[], room: number): readonly Measured<Row>[] {
  let excess = columns.reduce((sum, { width }) => sum + width, gap * (columns.length - 1)) - room
  const widths = new Map(columns.map((measured) => [measured, measured.width]))
  const flexible = columns.filter(({ column }) => column.shrink !== undefined)
  for (const measured of flexible.sort((a, b) => (a.column.shrink?.order ?? 0) - (b.column.shrink?.order ?? 0))) {
    if (excess <= 0) break
    const spare = Math.min(excess, Math.max(0, measured.width - (measured.column.shrink?.least ?? 0)))
    widths.set(measured, measured.width - spare)
    excess -= spare
  }
  if (excess <= 0) return columns.map((measured) => ({ ...measured, width: widths.get(measured) ?? measured.width }))
  const droppable = columns.filter(({ column }) => column.drop !== undefined)
  const [least] = droppable.sort((a, b) => (a.column.drop ?? 0) - (b.column.drop ?? 0))
  if (least !== undefined) {
    return fitColumns(
      columns.filter((measured) => measured !== least),
      room,
    )
  }
  return columns.map((measured) => ({ ...measured, width: widths.get(measured) ?? measured.width }))
}

/**
 * @param indent columns that the caller puts before every line
 * @returns a table without borders; on a terminal every row takes one line, in a pipe nothing is cut
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  terminal: Terminal,
  indent = 0,
): string {
  const measured = columns.map((column): Measured<Row> => {
    const cells = rows.map((row) => terminal.harmless(column.text(row)))
    const natural = Math.max(textWidth(column.title), ...cells.map(textWidth))
    const most = terminal.stdoutIsTerminal ? (column.most ?? natural) : natural
    return { column, cells, width: Math.min(natural, most) }
  })
  const shown = terminal.stdoutIsTerminal ? fitColumns(measured, terminal.columns - 1 - indent) : measured
  const table = new Table({
    chars: noBorders,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    head: shown.map(({ column }) => terminal.colors.bold(column.title)),
    colAligns: shown.map(({ column }) => column.align ?? 'left'),
  })
  rows.forEach((row, line) => {
    table.push(
      shown.map(({ column, cells, width }) => {
        const fitted = fitText(cells[line] ?? '', width)
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
