import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HandlerHome } from './handler-home.ts'

/** One line that a handler wrote itself: what truly ran, seen from outside the product. */
export interface CountedLine {
  readonly name: string
  /** `start`, `end`, or the number of a step. */
  readonly event: string
  readonly attempt: number
  /** Where its attempt went on from. */
  readonly from: number
  readonly unitId: string
}

/** Source of the job type `counter`: counts steps, with a line in the ledger, a line in its log and a checkpoint for each. */
export const counterSource = `
import { appendFileSync, existsSync } from 'node:fs'
import { defineHandler, z } from 'nightkiln/handler'

export default defineHandler({
  type: 'counter',
  title: 'Count',
  description: 'Counts.',
  params: z.object({
    ledger: z.string(),
    name: z.string(),
    steps: z.int(),
    step_ms: z.int(),
    // It counts on until this file is there.
    gate: z.string().optional(),
  }),
  result: z.object({ name: z.string(), from: z.int() }),
  async run({ params, unit, unitId, attempt, lastCheckpoint, checkpoint, cancellation, log }) {
    const name = unit === undefined ? params.name : params.name + '-' + unit
    const from = lastCheckpoint?.done ?? 0
    const note = (event) => appendFileSync(params.ledger, [name, event, attempt, from, unitId].join(' ') + '\\n')
    note('start')
    log.info('attempt ' + attempt + ' goes on from ' + from)
    const isOpen = () => params.gate === undefined || existsSync(params.gate)
    for (let step = from + 1; step <= params.steps || !isOpen(); step += 1) {
      await cancellation.wait(params.step_ms)
      note(step)
      checkpoint({ done: step })
    }
    note('end')
    return { name, from }
  },
})
`

export function counterLedger(home: HandlerHome): string {
  return join(home.work, 'counter.ledger')
}

export function counterParams(home: HandlerHome, name: string, steps: number, stepMs: number) {
  return { ledger: counterLedger(home), name, steps, step_ms: stepMs }
}

/** @returns all lines so far, in writing order */
export function readCounted(home: HandlerHome): readonly CountedLine[] {
  const file = counterLedger(home)
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', event = '', attempt, from, unitId = ''] = line.split(' ')
      return { name, event, attempt: Number(attempt), from: Number(from), unitId }
    })
}

/** @returns the steps that each attempt of that name did, in order of the attempts */
export function stepsOf(lines: readonly CountedLine[], name: string): readonly (readonly number[])[] {
  const attempts: number[][] = []
  for (const line of lines) {
    if (line.name !== name || line.event === 'end') continue
    if (line.event === 'start') attempts.push([])
    else attempts.at(-1)?.push(Number(line.event))
  }
  return attempts
}

/** @returns the last checkpoint of an attempt, as it lies on the disk; null when it has none */
export function checkpointOnDisk(home: HandlerHome, unitId: string, attempt: number): number | null {
  const name = readdirSync(home.paths.attempts).find((each) => each.startsWith(`${unitId}.${attempt}.`))
  const file = join(home.paths.attempts, name ?? 'none', 'checkpoint.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { done: number }).done : null
}
