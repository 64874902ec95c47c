import type { z } from 'zod'
import type { reviewView } from '../../domain/wire/shared.ts'
import { indentedLines } from './indented-lines.ts'
import { counted, formatSeconds } from './quantities.ts'
import type { Terminal } from './terminal.ts'

type Review = z.infer<typeof reviewView>

function cost(amount: number): string {
  return String(Math.round(amount * 10_000) / 10_000)
}

/** @returns what a person needs to approve or reject the rest of a job, as lines. */
export function reviewLines(id: string, review: Review, terminal: Terminal): string[] {
  const { bold, dim, yellow } = terminal.colors
  const took = review.unit_seconds === null ? '' : `, ${formatSeconds(review.unit_seconds)} each`
  const rest = [
    counted(review.units_waiting, 'unit'),
    ...(review.rest_seconds === null ? [] : [`about ${formatSeconds(review.rest_seconds)}`]),
    ...(review.rest_cost === null ? [] : [`cost about ${cost(review.rest_cost)}`]),
  ]
  const lines = [
    `  ${bold('review')}      ${counted(review.units_run, 'test unit')} ran: ${review.completed} completed, ${review.failed} failed${took}${
      review.cost === null ? '' : `, cost ${cost(review.cost)}`
    }`,
    `  ${bold('the rest')}    ${rest.join(', ')}`,
  ]
  for (const { unit, state, result } of review.results) {
    lines.push(
      `  ${dim(`unit ${unit}`)} ${state}`,
      ...indentedLines(JSON.stringify(result, null, 2) ?? 'null', terminal, '    '),
    )
  }
  lines.push(`  ${yellow(`nightkiln approve ${id}`)}   or   ${yellow(`nightkiln reject ${id}`)}`)
  return lines
}
