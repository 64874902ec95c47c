import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { expect, onTestFinished, test, vi } from 'vitest'
import { readManagerFile } from '../../../src/client/manager-file.ts'
import { statePaths } from '../../../src/config/paths.ts'
import type { ManagerApi } from '../../../src/manager/api/create-api.ts'
import { eventsRoute } from '../../../src/manager/api/events-route.ts'
import { listen } from '../../../src/manager/process/listener.ts'
import { readStat } from '../../support/proc.ts'
import { createOutbox } from '../../unit/manager/outbox.ts'
import { useManager } from './manager-under-test.ts'

const manager = useManager()
const mebibyte = 1024 * 1024
const pageBytes = 4_096

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

/** It reports every connection that it closes before its end. */
function silenceServerLibrary(): void {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  onTestFinished(() => void vi.restoreAllMocks())
}

function managerProcess() {
  const file = readManagerFile(statePaths(manager.home).managerFile)
  if (file?.socket === null || file === null) throw new Error('no manager')
  return { pid: file.pid, socket: file.socket }
}

function openSocket(path: string, text: string): Promise<Socket> {
  const socket = connect(path)
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  return new Promise((resolve) => socket.write(text, () => resolve(socket)))
}

async function serve(api: Hono | ManagerApi, receiveMs?: number) {
  const folder = mkdtempSync(join(tmpdir(), 'nk-listen-'))
  const socket = join(folder, 'test.sock')
  const listener = await listen(api as unknown as ManagerApi, socket, receiveMs)
  onTestFinished(async () => {
    await listener.close(0)
    rmSync(folder, { recursive: true })
  })
  return { socket, listener }
}

test('a chunked body over the limit is refused while it arrives, and is not kept', async () => {
  const { pid, socket } = managerProcess()
  const resident = () => ((readStat(pid)?.residentPages ?? 0) * pageBytes) / mebibyte
  const before = resident()
  let most = before
  let answer = ''
  let isOver = false
  const call = request({ socketPath: socket, method: 'POST', path: '/v1/list_jobs' })
  call.on('response', (incoming) => {
    incoming.setEncoding('utf8').on('data', (text: string) => {
      answer += text
    })
  })
  call.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => {
    call.on('close', () => {
      isOver = true
      resolve()
    })
  })
  const piece = Buffer.alloc(mebibyte, ' ')
  for (let sent = 0; sent < 400 && !isOver && answer === ''; sent += 1) {
    if (!call.write(piece)) await Promise.race([new Promise((resolve) => call.once('drain', resolve)), closed])
    most = Math.max(most, resident())
  }
  expect(answer).toContain('"code":"limit_exceeded"')
  expect(most - before).toBeLessThan(150)
  call.destroy()
})

test('thousands of calls that are only half sent hold nobody back', async () => {
  const { socket } = managerProcess()
  const half = 'POST /v1/list_jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{'
  for (let group = 0; group < 21; group += 1) {
    await Promise.all(Array.from({ length: 100 }, () => openSocket(socket, half)))
  }
  const { pid } = managerProcess()
  // All of them have arrived: each is an open file of the manager.
  await expect.poll(() => readdirSync(`/proc/${pid}/fd`).length, { timeout: 10_000 }).toBeGreaterThan(2_100)
  expect(await manager.client.call('handshake', {})).toMatchObject({ state: 'leading' })
  expect(await manager.client.call('list_jobs', {})).toMatchObject({ has_more: false })
})

test('a caller that does not finish sending is cut off; one that waits for its answer is not', async () => {
  silenceServerLibrary()
  const api = new Hono()
  api.post('/slow', async (call) => {
    await call.req.text()
    await delay(1_500)
    return call.text('the answer')
  })
  const { socket } = await serve(api, 300)
  const slow = await openSocket(socket, 'POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}')
  const half = await openSocket(socket, 'POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{')
  const readAll = async (connection: Socket) => {
    let text = ''
    for await (const chunk of connection) {
      text += String(chunk)
      if (text.includes('the answer')) break
    }
    return text
  }
  expect(await readAll(half)).toContain('408')
  expect(await readAll(slow)).toContain('the answer')
})

test('event consumers that never read lose their connections and what waited for them', async () => {
  const outbox = createOutbox(10)
  const api: ManagerApi = new Hono<{ Bindings: HttpBindings }>().get('/v1/events', (call) =>
    eventsRoute(outbox.context, call),
  )
  const { socket, listener } = await serve(api)
  silenceServerLibrary()
  const consumers = 20
  for (let number = 0; number < consumers; number += 1) {
    const connection = await openSocket(socket, 'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n')
    connection.pause()
  }
  await expect.poll(() => outbox.listeners.size).toBe(consumers)
  const before = process.memoryUsage().arrayBuffers
  await expect
    .poll(() => {
      outbox.publish(100)
      return listener.connections()
    })
    .toBe(0)
  expect(outbox.listeners.size).toBe(0)
  await expect
    .poll(() => {
      collectGarbage()
      return process.memoryUsage().arrayBuffers - before
    })
    .toBeLessThan(5 * mebibyte)
})
