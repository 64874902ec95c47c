import { cutText } from '../domain/cut-text.ts'
import { errorExtract } from '../domain/error-extract.ts'
import type { ListUnitsAnswer, UnitView } from '../domain/wire/units.ts'
import { fitAnswer } from './fit-answer.ts'

const shortCharacters = 200
const leastCharacters = 100
const shownAttempts = 3

function cut(text: string, most = shortCharacters): string {
  return cutText(text, most, ' …')
}

function withShortTexts(unit: UnitView): UnitView {
  const tail = unit.error?.untrusted_output_tail
  const error =
    unit.error === null || tail === undefined
      ? unit.error
      : { ...unit.error, untrusted_output_tail: errorExtract(tail, shortCharacters) }
  return { ...unit, error, untrusted_input: cut(unit.untrusted_input) }
}

function withoutLargeResult(unit: UnitView): UnitView {
  const kept = { ...unit }
  if (kept.result !== undefined && JSON.stringify(kept.result).length > shortCharacters) delete kept.result
  return kept
}

function withFewAttempts(unit: UnitView): UnitView {
  if (unit.attempt_history === undefined) return unit
  return { ...unit, attempt_history: unit.attempt_history.slice(-shownAttempts) }
}

function withoutDetails(unit: UnitView): UnitView {
  const { result: _result, attempt_history: _attempts, ...rest } = unit
  const kept = { ...rest, untrusted_input: cut(rest.untrusted_input, leastCharacters) }
  if (kept.error === null) return kept
  const { untrusted_output_tail: _tail, ...error } = kept.error
  return { ...kept, error: { ...error, message: cut(error.message), remedy: cut(error.remedy) } }
}

/** Makes an answer about many or large units smaller; every unit stays. */
export function fitUnits(answer: ListUnitsAnswer): ListUnitsAnswer {
  const each = (change: (unit: UnitView) => UnitView) => (current: ListUnitsAnswer) => ({
    ...current,
    units: current.units.map(change),
  })
  const cuts = [each(withFewAttempts), each(withShortTexts), each(withoutLargeResult), each(withoutDetails)]
  return fitAnswer(answer, cuts, 'list_units')
}
