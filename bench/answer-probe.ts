// A process of its own: `answer-probe.ts <job id>` asks the manager of NIGHTKILN_HOME for a status, and who it is, every 2 ms
// until its input ends. Prints "ready", then every call as [wall ms at which it was sent, ms that it took].
import { setTimeout as delay } from 'node:timers/promises'
import { createManagerClient } from '../src/client/manager-client.ts'
import { stateDirectory } from '../src/config/paths.ts'
import { version } from '../src/config/version.ts'
import { wallMs } from './bench-home.ts'

const [id = ''] = process.argv.slice(2)
const everyMs = 2
const client = createManagerClient({ home: stateDirectory(), version, submittedBy: 'bench', launch: false })

let isEnding = false
process.stdin.on('end', () => {
  isEnding = true
})
process.stdin.resume()

const samples: [number, number][] = []
for (let round = 0; !isEnding; round += 1) {
  const sent = wallMs()
  if (round % 2 === 0) await client.call('job_status', { ids: [id] })
  else await client.call('handshake', {})
  samples.push([sent, wallMs() - sent])
  if (round === 0) process.stdout.write('ready\n')
  await delay(Math.max(0, everyMs - (wallMs() - sent)))
}
await client.close()
process.stdout.write(`${JSON.stringify({ samples })}\n`)
