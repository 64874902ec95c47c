// A process of its own: `floor-load.ts <socket> <seconds> <in flight>` posts the same submits to the floor.
import { Agent, request } from 'undici'
import { commandSubmit } from './bench-home.ts'

const [socket = '', secondsText = '3', inFlightText = '32'] = process.argv.slice(2)
const inFlight = Number(inFlightText)
const dispatcher = new Agent({ connect: { socketPath: socket }, connections: inFlight })

async function lane(prefix: string, deadline: number): Promise<number> {
  let acknowledged = 0
  while (performance.now() < deadline) {
    const answer = await request('http://localhost/v1/submit_job', {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(commandSubmit(`${prefix}-${acknowledged}`, ['true'])),
    })
    await answer.body.json()
    if (answer.statusCode !== 200) throw new Error(`the floor answered ${answer.statusCode}`)
    acknowledged += 1
  }
  return acknowledged
}

async function run(name: string, seconds: number): Promise<number> {
  const started = performance.now()
  const deadline = started + seconds * 1_000
  const counts = await Promise.all(Array.from({ length: inFlight }, (_, index) => lane(`${name}-${index}`, deadline)))
  return counts.reduce((sum, one) => sum + one, 0) / ((performance.now() - started) / 1_000)
}

await run('warm-up', 1)
const perSecond = await run('measured', Number(secondsText))
await dispatcher.close()
process.stdout.write(`${JSON.stringify({ perSecond })}\n`)
