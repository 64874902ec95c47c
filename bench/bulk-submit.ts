import { setTimeout as delay } from 'node:timers/promises'
import type { ManagerClient } from '../src/client/manager-client.ts'
import { benchContext, neverDue, startScript, wallMs, withBenchHome } from './bench-home.ts'
import { type Figure, median } from './figures.ts'

const units = 10_000
const pauseMs = 500

interface Window {
  readonly from: number
  readonly to: number
}

/** Counts the units that were added, by the events that tell of it. */
class AddedUnits {
  readonly #added = new Map<string, number>()
  #wake = () => {}

  async follow(client: ManagerClient, signal: AbortSignal): Promise<void> {
    for await (const notice of client.events({ signal })) {
      if (notice.kind !== 'job') continue
      const { type, job_id, data } = notice.event
      if (type === 'job.submitted') this.#add(job_id, Number(data['units']))
      if (type === 'job.units_added') this.#add(job_id, Number(data['count']))
    }
  }

  async allOf(jobId: string): Promise<void> {
    while ((this.#added.get(jobId) ?? 0) < units) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #add(jobId: string, count: number): void {
    this.#added.set(jobId, (this.#added.get(jobId) ?? 0) + count)
    this.#wake()
  }
}

function submit(client: ManagerClient, key: string, count: number) {
  const list = Array.from({ length: count }, (_, index) => ({
    path: `/data/documents/document-${index}.pdf`,
    page: index,
  }))
  return client.call('submit_job', {
    type: 'noop',
    params: {},
    units: list,
    run_at: neverDue,
    idempotency_key: key,
    context: benchContext,
  })
}

/** @returns the slowest of the calls that were under way within a window */
function slowest(samples: readonly (readonly [number, number])[], { from, to }: Window): number {
  const within = samples.filter(([sent, took]) => sent + took >= from && sent <= to)
  return Math.max(0, ...within.map(([, took]) => took))
}

/** One submit with a list of 10,000 units, while another process asks every 2 ms. */
export function measureBulkSubmit(rounds: number): Promise<readonly Figure[]> {
  return withBenchHome(async ({ client, environment }) => {
    const { id } = await submit(client, 'first', 1)
    const ending = new AbortController()
    const added = new AddedUnits()
    const following = added.follow(client, ending.signal).catch((error: unknown) => {
      if (!ending.signal.aborted) throw error
    })
    const probe = startScript('answer-probe.ts', [id], environment)
    await probe.ready
    await delay(pauseMs)
    const answered: number[] = []
    const allIn: number[] = []
    const idle: Window[] = []
    const busy: Window[] = []
    for (let round = -1; round < rounds; round += 1) {
      const from = wallMs()
      const submitted = await submit(client, `bulk-${round}`, units)
      const answeredAt = wallMs()
      await added.allOf(submitted.id)
      const to = wallMs()
      await delay(pauseMs)
      // The first round is for compiling.
      if (round < 0) continue
      answered.push(answeredAt - from)
      allIn.push(to - from)
      busy.push({ from, to })
      idle.push({ from: wallMs() - (to - from), to: wallMs() })
    }
    probe.finish()
    const { samples } = (await probe.answer) as { samples: readonly (readonly [number, number])[] }
    ending.abort()
    await following
    return figures({ answered, allIn, idle, busy }, samples)
  })
}

interface Rounds {
  readonly answered: readonly number[]
  readonly allIn: readonly number[]
  readonly idle: readonly Window[]
  readonly busy: readonly Window[]
}

function figures(rounds: Rounds, samples: readonly (readonly [number, number])[]): readonly Figure[] {
  const idle = rounds.idle.map((window) => slowest(samples, window))
  const busy = rounds.busy.map((window) => slowest(samples, window))
  const reference = { name: 'slowest other answer in as much idle time', value: median(idle) }
  return [
    { name: 'submit of 10,000 units answered', value: median(rounds.answered), unit: 'ms', goal: null },
    {
      name: 'submit of 10,000 units, all of them in',
      value: median(rounds.allIn),
      unit: 'ms',
      goal: { at: 'most', value: 250 },
    },
    { name: reference.name, value: reference.value, unit: 'ms', goal: null },
    {
      name: 'slowest other answer meanwhile',
      value: median(busy),
      unit: 'ms',
      goal: null,
      ratioTo: reference,
    },
    {
      name: 'slowest other answer meanwhile, above idle',
      value: median(busy) - reference.value,
      unit: 'ms',
      goal: { at: 'most', value: 20 },
    },
    { name: 'slowest other answer of all rounds', value: Math.max(...busy), unit: 'ms', goal: null },
  ]
}
