// The floor: what hono, one SQLite table and group commit can do with nothing else around. `floor-server.ts <socket> <database>`
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import Database from 'better-sqlite3'
import { Hono } from 'hono'
import { uuidv7 } from 'uuidv7'

const [socket, file] = process.argv.slice(2)
if (socket === undefined || file === undefined) throw new Error('usage: floor-server.ts <socket> <database>')

const database = new Database(file)
database.pragma('journal_mode = WAL')
database.pragma('synchronous = FULL')
database.exec(
  'CREATE TABLE job (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE, body TEXT NOT NULL)',
)
const insert = database.prepare('INSERT INTO job (id, key, body) VALUES (?, ?, ?)')

interface Waiting {
  readonly body: { readonly idempotency_key: string }
  readonly done: (id: string) => void
}
let waiting: Waiting[] = []

/** Everything that arrived in this turn shares one commit; answers go out after it. */
function flush(): void {
  const group = waiting
  waiting = []
  const ids = group.map(() => uuidv7())
  database
    .transaction(() => {
      group.forEach((one, index) => {
        insert.run(ids[index], one.body.idempotency_key, JSON.stringify(one.body))
      })
    })
    .immediate()
  group.forEach((one, index) => {
    one.done(ids[index] ?? '')
  })
}

const app = new Hono()
app.post('/v1/submit_job', async (context) => {
  const body = await context.req.json<Waiting['body']>()
  const id = await new Promise<string>((done) => {
    if (waiting.push({ body, done }) === 1) setImmediate(flush)
  })
  return context.json({ id })
})
const listener = getRequestListener(app.fetch)
const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  void listener(request, response)
})
server.listen(socket, () => process.stdout.write('ready\n'))
process.on('SIGTERM', () => process.exit(0))
