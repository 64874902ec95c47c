// A process of its own: `submit-load.ts <seconds> <in flight>` submits jobs to the manager of NIGHTKILN_HOME.
import { createManagerClient } from '../src/client/manager-client.ts'
import { stateDirectory } from '../src/config/paths.ts'
import { version } from '../src/config/version.ts'
import { commandSubmit } from './bench-home.ts'

const [seconds = 3, inFlight = 32] = process.argv.slice(2).map(Number)
const client = createManagerClient({ home: stateDirectory(), version, submittedBy: 'bench' })

/** Submits one after another until the deadline. @returns how many were acknowledged */
async function lane(prefix: string, deadline: number): Promise<number> {
  let acknowledged = 0
  while (performance.now() < deadline) {
    await client.call('submit_job', commandSubmit(`${prefix}-${acknowledged}`, ['true']))
    acknowledged += 1
  }
  return acknowledged
}

async function run(name: string, forSeconds: number): Promise<number> {
  const started = performance.now()
  const deadline = started + forSeconds * 1_000
  const lanes = Array.from({ length: inFlight }, (_, index) => lane(`${name}-${index}`, deadline))
  const counts = await Promise.all(lanes)
  const total = counts.reduce((sum, one) => sum + one, 0)
  return total / ((performance.now() - started) / 1_000)
}

// Both processes must have compiled their hot code; a queue that runs for days has.
await run('warm-up', 2)
const perSecond = await run('measured', seconds)
await client.close()
process.stdout.write(`${JSON.stringify({ perSecond })}\n`)
