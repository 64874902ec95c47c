// One of many clients that begin at the same moment: loads everything, waits for a byte on stdin, submits one job with the
// shared key, and prints who answered as one line of JSON.
//   node race-client.mjs <dist> <state directory> <shared key>
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [dist, home, key] = process.argv.slice(2)
const { createManagerClient } = await import(pathToFileURL(join(dist, 'client', 'manager-client.js')).href)
process.stdout.write('ready\n')
await once(process.stdin, 'data')
process.stdin.destroy()

const client = createManagerClient({ home, version: '0.1.0', submittedBy: 'race client', readyTimeoutMs: 100_000 })
try {
  const submitted = await client.call('submit_job', {
    type: 'command',
    params: { argv: ['true'], cwd: '/tmp' },
    idempotency_key: key,
    context: { environment: { PATH: process.env.PATH }, cwd: '/tmp', submitted_by: 'race client' },
  })
  const { handshake } = await client.connect()
  process.stdout.write(`${JSON.stringify({ id: submitted.id, pid: handshake.pid, epoch: handshake.epoch })}\n`)
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: error.message })}\n`)
} finally {
  await client.close()
}
