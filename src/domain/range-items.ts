import { QueueError } from './errors.ts'
import { mostUnits } from './wire/units.ts'

/** Share of a step by which `to` may be missed: 0 to 0.3 by 0.1 has four numbers, though 0.3 / 0.1 is a little below 3. */
const tolerance = 1e-9

/**
 * @returns how many numbers a range has, `to` included
 * @throws QueueError invalid_input for a step that never arrives, limit_exceeded for too many
 */
export function rangeTotal({ from, to, step }: { from: number; to: number; step: number }): number {
  const refuse = (why: string, remedy: string) =>
    new QueueError('invalid_input', `the range from ${from} to ${to} by ${step} ${why}`, { remedy })
  if (step === 0) throw refuse('never ends: its step is 0', 'Give a step such as 1 or -1.')
  const steps = (to - from) / step
  if (steps < 0)
    throw refuse('is empty: its step leads away from the end', `Give step ${-step}, or exchange from and to.`)
  const total = Math.floor(steps + tolerance * Math.max(1, steps)) + 1
  if (!(total <= mostUnits)) {
    throw new QueueError(
      'limit_exceeded',
      `the range from ${from} to ${to} by ${step} has more than ${mostUnits} units`,
      {
        remedy: 'Make the step larger, or submit several jobs.',
      },
    )
  }
  if (total > 1 && rangeItem(from, step, total - 1) === rangeItem(from, step, total - 2))
    throw refuse('has numbers that cannot be told apart', 'Use numbers below 9007199254740991, or a larger step.')
  return total
}

/** @returns number `index` of a range: from + index × step, without the digits that binary fractions add. */
export function rangeItem(from: number, step: number, index: number): number {
  const value = from + index * step
  const decimals = Math.max(decimalsOf(from), decimalsOf(step))
  return decimals === 0 || decimals > 20 ? value : Number(value.toFixed(decimals))
}

function decimalsOf(value: number): number {
  const [digits = '', exponent = '0'] = String(value).split('e')
  return Math.max(0, (digits.split('.')[1]?.length ?? 0) - Number(exponent))
}
