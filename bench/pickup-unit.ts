import { setTimeout as delay } from 'node:timers/promises'
import type { ManagerClient } from '../src/client/manager-client.ts'
import { benchContext, withBenchHome } from './bench-home.ts'
import { type Figure, median, percentile } from './figures.ts'

/** Both processes must have compiled their hot code; a queue that runs for days has. */
const warmUpRounds = 100
/** Long enough for both processes to fall asleep: a wake-up is part of what an idle machine costs. */
const pauseMs = 10

/** Ids of the jobs whose unit was seen to start, and when, by the monotonic clock of this process. */
class Starts {
  readonly #seen = new Map<string, number>()
  #wake = () => {}

  note(jobId: string): void {
    this.#seen.set(jobId, performance.now())
    this.#wake()
  }

  async of(jobId: string): Promise<number> {
    for (;;) {
      const at = this.#seen.get(jobId)
      if (at !== undefined) return at
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

/** Follows the event stream. @returns once the stream is known to be open */
async function follow(client: ManagerClient, starts: Starts, signal: AbortSignal): Promise<void> {
  const read = async () => {
    for await (const notice of client.events({ signal })) {
      if (notice.kind === 'job' && notice.event.type === 'unit.started') starts.note(notice.event.job_id)
    }
  }
  read().catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  await delay(500)
}

/**
 * Submit sent to `unit.started` seen, both in this process, the unit taken by another one (the manager) and every step durable.
 * One job at a time, on an idle machine.
 */
export function measureUnitPickup(rounds: number): Promise<readonly Figure[]> {
  return withBenchHome(async ({ client }) => {
    await client.connect()
    const starts = new Starts()
    const ending = new AbortController()
    await follow(client, starts, ending.signal)
    const times: number[] = []
    for (let round = -warmUpRounds; round < rounds; round += 1) {
      await delay(pauseMs)
      const sent = performance.now()
      const { id } = await client.call('submit_job', {
        type: 'noop',
        params: {},
        idempotency_key: `pickup-unit-${round}`,
        context: benchContext,
      })
      const started = await starts.of(id)
      if (round >= 0) times.push(started - sent)
    }
    ending.abort()
    return [
      {
        name: 'submit to unit started, seen by the submitter, p50',
        value: median(times),
        unit: 'ms',
        goal: { at: 'most', value: 1 },
      },
      {
        name: 'submit to unit started, seen by the submitter, p99',
        value: percentile(times, 0.99),
        unit: 'ms',
        goal: { at: 'most', value: 2.5 },
      },
    ]
  })
}
