import { describe, expect, test } from 'vitest'
import type { HttpApp } from '../../../src/server/http/http-app.ts'
import { headersFor, initialize, modernMessage, namedBearers, oldMessage, refusalOf, useApp } from './http-support.ts'

const url = 'http://127.0.0.1/mcp'
const idleMs = 30 * 60_000

function ask(app: HttpApp, message: unknown, more: Readonly<Record<string, string>> = {}): Promise<Response> {
  const headers = headersFor(message, { host: '127.0.0.1', ...more })
  return app.fetch(new Request(url, { method: 'POST', headers, body: JSON.stringify(message) }))
}

async function openSession(app: HttpApp, bearer = 'ann'): Promise<string> {
  const response = await ask(app, initialize, { authorization: `Bearer ${bearer}` })
  expect(response.status, await response.clone().text()).toBe(200)
  await response.text()
  return response.headers.get('mcp-session-id') ?? ''
}

function within(app: HttpApp, session: string, message: unknown, more: Readonly<Record<string, string>> = {}) {
  return ask(app, message, { 'mcp-session-id': session, ...more })
}

function stream(app: HttpApp, session: string, method = 'GET', bearer = 'ann'): Promise<Response> {
  const headers = {
    host: '127.0.0.1',
    accept: 'text/event-stream',
    'mcp-session-id': session,
    authorization: `Bearer ${bearer}`,
  }
  return app.fetch(new Request(url, { method, headers }))
}

/** @returns the status, once the whole answer was given. */
async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer
  await response.text()
  return response.status
}

const list = oldMessage('tools/list')
const hang = oldMessage('tools/call', { name: 'any', arguments: { do: 'hang' } })

describe('a session', () => {
  test('has a server of its own, for whoever opened it', async () => {
    const { app, witness } = useApp()
    const ann = await openSession(app)
    const ben = await openSession(app, 'ben')
    expect(await statusOf(within(app, ann, list))).toBe(200)
    expect(await statusOf(within(app, ann, list))).toBe(200)
    expect(await statusOf(within(app, ben, list, { authorization: 'Bearer ben' }))).toBe(200)
    expect(witness.connections).toEqual([
      { era: 'legacy', principal: 'token:ann' },
      { era: 'legacy', principal: 'token:ben' },
    ])
  })

  test('is not there for anybody else, nor after its end', async () => {
    const { app } = useApp()
    const session = await openSession(app)
    const ben = { authorization: 'Bearer ben' }
    const asOther = await within(app, session, list, ben)
    const unknown = await within(app, 'f'.repeat(32), list)
    expect([asOther.status, unknown.status]).toEqual([404, 404])
    expect(await asOther.text()).toBe(await unknown.clone().text())
    expect(refusalOf(await unknown.text()).message).toContain('initialize')
    expect((await stream(app, session, 'GET', 'ben')).status).toBe(404)
    expect((await stream(app, session, 'DELETE', 'ben')).status).toBe(404)

    expect((await stream(app, session, 'DELETE')).status).toBe(200)
    expect(await statusOf(within(app, session, list))).toBe(404)
  })

  test('begins with initialize and nothing else', async () => {
    const { app, witness } = useApp()
    for (const message of [list, { jsonrpc: '2.0', method: 'notifications/initialized' }, [initialize], [], 7, null]) {
      const response = await ask(app, message)
      expect(response.status).toBe(400)
      await response.text()
    }
    expect(witness.connections).toEqual([])
    expect((await ask(app, initialize, { accept: 'text/html' })).status).toBe(406)
    expect((await ask(app, modernMessage('tools/list'))).status).toBe(200)
  })

  test('ends when nobody used it for half an hour, but not while something of it is open', async () => {
    let now = 0
    const { app } = useApp({ clock: () => now })
    const idle = await openSession(app)
    const listening = await openSession(app)
    const open = await stream(app, listening)
    now = idleMs - 1
    app.sweep()
    expect(await statusOf(within(app, idle, list))).toBe(200)
    now += idleMs
    app.sweep()
    expect(await statusOf(within(app, idle, list))).toBe(404)
    expect(await statusOf(within(app, listening, list))).toBe(200)
    await open.body?.cancel()
    now += idleMs
    app.sweep()
    expect(await statusOf(within(app, listening, list))).toBe(404)
  })

  test('gives way when there are 200 and it was idle for longest; an open one never', async () => {
    let now = 0
    const { app } = useApp({ clock: () => now })
    const listening = await openSession(app)
    const open = await stream(app, listening)
    const sessions: string[] = []
    for (let count = 1; count < 200; count += 1) {
      now += 1
      sessions.push(await openSession(app))
    }
    now += 1
    await (await within(app, sessions[0] ?? '', list)).text()
    await openSession(app)
    expect(await statusOf(within(app, sessions[1] ?? '', list))).toBe(404)
    for (const session of [listening, sessions[0] ?? '', sessions[2] ?? '']) {
      expect(await statusOf(within(app, session, list))).toBe(200)
    }
    await open.body?.cancel()
  })

  test('begins 200 times at most, also when many begin at once', async () => {
    const { app } = useApp()
    const answers = await Promise.all(Array.from({ length: 230 }, () => ask(app, initialize)))
    const begun = answers.filter(({ status }) => status === 200)
    expect(begun.length).toBe(200)
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(30)
  })

  test('takes 64 requests that wait; the next is told to come back', async () => {
    const { app, witness } = useApp()
    const session = await openSession(app)
    const open: Response[] = []
    for (let id = 0; id < 64; id += 1) open.push(await within(app, session, { ...hang, id }))
    const refused = await within(app, session, { ...hang, id: 64 })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    // A cancelled request waits no longer, and its stream ends.
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 0 } }
    expect(await statusOf(within(app, session, cancel))).toBe(202)
    expect(await open[0]?.text()).toBe('')
    expect(await statusOf(within(app, session, { ...list, id: 65 }))).toBe(200)
    await expect.poll(() => witness.cancelled).toEqual(['hang'])
  })
})

describe('who may no longer call', () => {
  test('has no open streams left, and no more requests', async () => {
    const gone = new Set<string>()
    const { app } = useApp({ authenticator: namedBearers(gone) })
    const streams = await Promise.all(
      ['ann', 'ben'].map(async (bearer) => stream(app, await openSession(app, bearer), 'GET', bearer)),
    )
    gone.add('ann')
    app.sweep()
    expect(await streams[0]?.text()).toBe('')
    const ben = streams[1]?.body?.getReader()
    const first = await Promise.race([ben?.read(), new Promise((resolve) => setImmediate(resolve, 'open'))])
    expect(first).toBe('open')
    await ben?.cancel()
  })
})
