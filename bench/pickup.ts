import { spawnSync } from 'node:child_process'
import { commandSubmit, wallMs, withBenchHome } from './bench-home.ts'
import { type Figure, median, percentile } from './figures.ts'

/** How long `date` itself takes to be started and print: part of every sample, so it is told beside them. */
function timeDate(rounds: number): number {
  const times = Array.from({ length: rounds }, () => {
    const before = wallMs()
    const printed = spawnSync('date', ['+%s%N'], { encoding: 'utf8' }).stdout
    return Number(printed) / 1e6 - before
  })
  return median(times)
}

/** Submit sent to command running: the command prints the time at which it runs. One job at a time, on an idle manager. */
export function measurePickup(rounds: number): Promise<readonly Figure[]> {
  return withBenchHome(async ({ client }) => {
    await client.connect()
    const times: number[] = []
    for (let round = -5; round < rounds; round += 1) {
      const sent = wallMs()
      const { id } = await client.call('submit_job', commandSubmit(`pickup-${round}`, ['date', '+%s%N'], true))
      await client.call('wait_for_jobs', { ids: [id], timeout_s: 20 })
      const logs = await client.call('job_logs', { id })
      const ran = Number(logs.untrusted_output.trim()) / 1e6
      if (!Number.isFinite(ran) || ran < sent) throw new Error(`the command printed ${logs.untrusted_output}`)
      if (round >= 0) times.push(ran - sent)
    }
    const reference = { name: 'spawn of date alone, p50', value: timeDate(rounds) }
    return [
      {
        name: 'submit to command running, p50',
        value: median(times),
        unit: 'ms',
        goal: { at: 'most', value: 8 },
        ratioTo: reference,
      },
      { name: 'submit to command running, p99', value: percentile(times, 0.99), unit: 'ms', goal: null },
    ]
  })
}
