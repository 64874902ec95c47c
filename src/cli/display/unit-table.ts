import type { ListUnitsAnswer, UnitView } from '../../domain/wire/units.ts'
import { attemptTable } from './job-detail.ts'
import { formatSeconds } from './quantities.ts'
import { stateColor } from './state-color.ts'
import { type Column, renderTable } from './table.ts'
import type { Terminal } from './terminal.ts'

function outcomeText(unit: UnitView): string {
  if (unit.error !== null) return unit.error.message
  const { result } = unit
  if (result === undefined || result === null) return unit.why
  // One that was too long came as the beginning of its JSON.
  return typeof result === 'string' && /^[[{]/.test(result) ? `${result} …` : JSON.stringify(result)
}

/** Only told when some ran elsewhere, or should have. */
function modeColumn(units: readonly UnitView[]): Column<UnitView>[] {
  if (units.every(({ mode, device }) => (mode === null || mode === 'local') && device === undefined)) return []
  const text = ({ mode, device }: UnitView) => [mode, device].filter((part) => part != null).join(': ')
  return [{ title: 'MODE', text, most: 48, shrink: { order: 4, least: 8 }, drop: 6 }]
}

function unitTable(units: readonly UnitView[], terminal: Terminal): string {
  return renderTable<UnitView>(
    [
      { title: 'UNIT', text: (unit) => (unit.final_step ? 'final' : String(unit.unit)), align: 'right' },
      { title: 'STATE', text: (unit) => unit.state, paint: (unit) => stateColor(terminal.colors, unit.state) },
      { title: 'INPUT', text: (unit) => unit.untrusted_input, most: 48, shrink: { order: 2, least: 12 } },
      { title: 'KEY', text: (unit) => unit.key ?? '', most: 32, shrink: { order: 3, least: 8 }, drop: 2 },
      { title: 'ATTEMPTS', text: (unit) => String(unit.attempts), align: 'right', drop: 3 },
      { title: 'EXIT', text: (unit) => String(unit.exit_code ?? ''), align: 'right', drop: 4 },
      {
        title: 'TOOK',
        text: (unit) => (unit.duration_s === null ? '' : formatSeconds(unit.duration_s)),
        align: 'right',
        drop: 5,
      },
      ...modeColumn(units),
      { title: 'OUTCOME', text: outcomeText, shrink: { order: 1, least: 12 }, drop: 1 },
    ],
    units,
    terminal,
  )
}

/** @returns counts, the page of units, and what failed in the same way, as lines for a person. */
export function unitLines(answer: ListUnitsAnswer, terminal: Terminal): string[] {
  const { total, completed, running, available, failed, cancelled } = answer.counts
  const lines = [
    `${total} units: ${completed} completed, ${failed} failed, ${running} running, ${available} waiting, ${cancelled} cancelled`,
  ]
  if (answer.units.length > 0) lines.push('', ...unitTable(answer.units, terminal).split('\n'))
  const attempts = answer.units.flatMap((unit) => unit.attempt_history ?? [])
  if (attempts.length > 0) lines.push('', ...attemptTable(attempts, terminal))
  if (answer.failure_groups.length > 0) {
    lines.push('', terminal.colors.bold('Failed in the same way'))
    for (const group of answer.failure_groups) {
      const more = group.count > group.units.length ? ' …' : ''
      lines.push(
        `  ${group.count} × ${terminal.harmless(group.signature)}  ${terminal.colors.dim(`units ${group.units.join(', ')}${more}`)}`,
      )
    }
  }
  return lines
}
