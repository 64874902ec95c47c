// The production server over HTTP with fixtures, for the conformance suite. Prints its address, and ends with its stdin.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFrontEnd } from '../../src/server/container.ts'
import { createMcpServer } from '../../src/server/create-mcp-server.ts'
import { mcpPath } from '../../src/server/http/guard.ts'
import { createHttpApp } from '../../src/server/http/http-app.ts'
import { listenHttp } from '../../src/server/http/http-listener.ts'
import { createProcessLedger } from '../support/process-ledger.ts'
import { withFixtures } from './parts.ts'

// mkdtemp gives 0700, as a state directory must be.
const home = realpathSync(mkdtempSync(join(tmpdir(), 'nk-')))
process.env['NIGHTKILN_HOME'] = home

const frontEnd = createFrontEnd()
const parts = withFixtures(frontEnd.parts, home)
const app = createHttpApp({
  publicNames: [],
  resource: null,
  // The suite has no way to send a token. Everything else that stands before a server stays as it is.
  authenticator: { authenticate: async () => ({ identity: { principal: 'token:conformance', holds: () => true } }) },
  parts,
  createServer: (connection) => createMcpServer(parts, connection),
  clock: () => performance.now(),
  report: (error) => process.stderr.write(`the test entry: ${error.message}\n`),
})
const listener = await listenHttp(app, { host: '127.0.0.1', port: 0 })
process.stdout.write(`listening on ${listener.origin}${mcpPath}\n`)

async function leave(): Promise<void> {
  frontEnd.abort()
  await app.close()
  await listener.close(0)
  await createProcessLedger(home).killAll()
  rmSync(home, { recursive: true, force: true, maxRetries: 5 })
}

process.stdin.resume().once('end', () => {
  leave().catch((error: unknown) => {
    process.stderr.write(`the test entry did not end well: ${String(error)}\n`)
    process.exitCode = 1
  })
})
