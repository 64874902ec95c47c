import { describe, expect, test } from 'vitest'
import { request } from './http-run.ts'
import { bodyOf, serve } from './web-server.ts'

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])('with %i is followed', async (status) => {
    const { origin } = await serve(({ url }, response) => {
      if (url === '/a/start') response.writeHead(status, { location: '../end?x=1#part' }).end('moved')
      else response.end('here')
    })
    expect((await request({ url: `${origin}/a/start` })).result).toMatchObject({
      status: 200,
      url: `${origin}/end?x=1`,
      body: 'here',
    })
  })

  test.each([
    ['POST', 301, 'GET', ''],
    ['POST', 302, 'GET', ''],
    ['POST', 303, 'GET', ''],
    ['PUT', 303, 'GET', ''],
    ['PUT', 302, 'PUT', 'text'],
    ['POST', 307, 'POST', 'text'],
    ['POST', 308, 'POST', 'text'],
  ] as const)('of %s with %i becomes %s', async (method, status, expected, text) => {
    const { origin } = await serve(async (asked, response) => {
      const body = await bodyOf(asked)
      if (asked.url === '/start') response.writeHead(status, { location: '/end' }).end()
      else response.end(JSON.stringify([asked.method, body, asked.headers['content-type'] ?? null]))
    })
    const { result } = await request({ url: `${origin}/start`, method, body: 'text', read: 'json' })
    expect(result?.body).toEqual([expected, text, text === '' ? null : 'text/plain;charset=UTF-8'])
  })

  test('to another origin takes no credentials along, and does not bring them back', async () => {
    const other = await serve(({ url }, response) => {
      if (url === '/back') response.writeHead(302, { location: `${first.origin}/end` }).end()
      else response.end()
    })
    const first = await serve(({ url }, response) => {
      if (url === '/near') response.writeHead(302, { location: '/start' }).end()
      else if (url === '/start') response.writeHead(302, { location: `${other.origin}/back` }).end()
      else response.end()
    })
    const headers = {
      authorization: 'Bearer x',
      cookie: 'a=b',
      'x-api-key': 'k',
      accept: 'text/html',
      'user-agent': 'me',
    }
    const { outcome, logs } = await request({ url: `${first.origin}/near`, headers })
    expect(outcome).toEqual({ kind: 'completed' })
    expect(first.requests.map(({ url }) => url)).toEqual(['/near', '/start', '/end'])
    expect(first.requests[1]?.headers).toMatchObject(headers)
    for (const asked of [other.requests[0], first.requests[2]]) {
      expect(asked?.headers).toMatchObject({ accept: 'text/html', 'user-agent': 'me' })
      for (const name of ['authorization', 'cookie', 'x-api-key']) expect(asked?.headers).not.toHaveProperty(name)
    }
    expect(logs[0]?.message).toContain('authorization, cookie, x-api-key are not sent')
  })

  test('is followed five times and no more, or as often as is said', async () => {
    const { origin, requests } = await serve(({ url }, response) => {
      response.writeHead(302, { location: `/${Number(url?.slice(1)) + 1}` }).end()
    })
    expect((await request({ url: `${origin}/0` })).outcome).toMatchObject({
      kind: 'rejected',
      message: `${origin}/0 redirects more than 5 times`,
    })
    expect(requests.length).toBe(6)
    expect((await request({ url: `${origin}/0`, redirects: 1 })).outcome).toMatchObject({ kind: 'rejected' })
    expect(requests.length).toBe(8)
    expect((await request({ url: `${origin}/0`, redirects: 0 })).outcome).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('answered 302'),
    })
    const { result } = await request({ url: `${origin}/0`, redirects: 0, expect_status: [302] })
    expect(result).toMatchObject({ status: 302, headers: { location: '/1' } })
  })

  test.each([
    ['ftp://127.0.0.1/x', 'it is neither http nor https'],
    ['file:///etc/passwd', 'it is neither http nor https'],
    ['http://[/', 'which is no URL'],
  ])('to %s is not followed', async (location, words) => {
    const { origin } = await serve((_, response) => void response.writeHead(302, { location }).end())
    expect((await request({ url: origin })).outcome).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining(words),
    })
  })

  test('without a place to go to is a status like any other', async () => {
    const { origin } = await serve((_, response) => void response.writeHead(302).end())
    expect((await request({ url: origin })).outcome).toMatchObject({ kind: 'rejected' })
  })
})
