import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface CogRun {
  readonly id: string
  readonly input: unknown
  /** The connection was lost before it had ended. */
  wasCancelled: boolean
  hasEnded: boolean
}

export interface CogStandIn {
  readonly url: string
  /** Each began once. */
  readonly runs: readonly CogRun[]
  readonly asked: readonly string[]
  /** Ends the run under way. */
  finish(answer: Readonly<Record<string, unknown>>): void
  /** Breaks the connections that it has. */
  cut(): void
}

/**
 * A plain Cog server as it is documented: one prediction at a time, answered when it has ended; 409 while it is busy; 422 when the
 * id of the body is another one than that of the path; no GET of predictions; cancelled when the connection is lost; forgotten when
 * it has ended.
 */
export async function useCog(): Promise<CogStandIn> {
  const runs: CogRun[] = []
  const asked: string[] = []
  const sockets = new Set<Socket>()
  let finish: ((answer: Readonly<Record<string, unknown>>) => void) | null = null
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      asked.push(`${request.method} ${request.url}`)
      const json = (status: number, body: unknown): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      }
      const [, folder, id = '', action] = (request.url ?? '').split('/')
      if (request.method === 'POST' && action === 'cancel') return json(200, {})
      if (folder !== 'predictions' || request.method !== 'PUT') return json(404, { detail: 'Not Found' })
      const body = JSON.parse(Buffer.concat(pieces).toString()) as { id?: string; input: unknown }
      if (body.id !== undefined && body.id !== id) return json(422, { detail: [{ msg: 'prediction ID must match' }] })
      if (finish !== null) return json(409, { detail: 'Already running a prediction' })
      const run: CogRun = { id, input: body.input, wasCancelled: false, hasEnded: false }
      runs.push(run)
      finish = (answer) => {
        run.hasEnded = true
        finish = null
        json(200, { id, status: 'succeeded', logs: 'computed\n', metrics: { predict_time: 0.1 }, ...answer })
      }
      response.on('close', () => {
        if (run.hasEnded) return
        run.wasCancelled = true
        finish = null
      })
    })
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(() => {
    cut()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    runs,
    asked,
    finish: (answer) => finish?.(answer),
    cut,
  }
}
