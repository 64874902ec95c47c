import type { QueueView } from '../../domain/wire/shared.ts'
import { formatAge, formatSeconds } from './quantities.ts'
import { stateColor } from './state-color.ts'
import { renderTable } from './table.ts'
import type { Terminal } from './terminal.ts'

function rateText(queue: QueueView): string {
  const rate = queue.rate_limit
  return rate === null ? 'none' : `${rate.count} in ${formatSeconds(rate.interval_s)}`
}

function stateText(queue: QueueView, now: number): string {
  if (queue.paused) return 'paused'
  return queue.held_until === null ? 'open' : `rate limited, goes on ${formatAge(queue.held_until, now)}`
}

function paint(queue: QueueView, terminal: Terminal): (text: string) => string {
  if (queue.paused || queue.held_until !== null) return stateColor(terminal.colors, 'rate_limited')
  return stateColor(terminal.colors, 'completed')
}

/** @returns queues as a table: state, what runs, limits. */
export function queueTable(queues: readonly QueueView[], terminal: Terminal, now: number): string {
  return renderTable<QueueView>(
    [
      { title: 'QUEUE', text: (queue) => queue.name, shrink: { order: 1, least: 8 } },
      { title: 'STATE', text: (queue) => stateText(queue, now), paint: (queue) => paint(queue, terminal) },
      { title: 'RUNNING', text: (queue) => String(queue.running), align: 'right' },
      { title: 'AT ONCE', text: (queue) => String(queue.concurrency ?? 'any'), align: 'right' },
      { title: 'RATE', text: rateText, align: 'right', drop: 1 },
    ],
    queues,
    terminal,
  )
}

/** @returns one queue in one line. */
export function queueLine(queue: QueueView, terminal: Terminal, now: number): string {
  const limits = [
    queue.concurrency === null ? 'no limit' : `${queue.concurrency} at once`,
    ...(queue.rate_limit === null ? [] : [rateText(queue)]),
  ]
  const state = paint(queue, terminal)(stateText(queue, now))
  return `queue ${terminal.harmless(queue.name)}  ${state}  ${queue.running} running, ${limits.join(', ')}`
}
