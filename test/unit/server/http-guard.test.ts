import { describe, expect, test } from 'vitest'
import { guardAddress, guardMessage, largestBodyBytes } from '../../../src/server/http/guard.ts'
import { parseListen, parsePublicNames } from '../../../src/server/http/listen-address.ts'
import { refusalOf } from './http-support.ts'

const publicNames = ['jobs.example.org']

function guarded(headers: Readonly<Record<string, string>>): number | null {
  const request = new Request('http://127.0.0.1/mcp', { headers })
  return guardAddress(request, { publicNames })?.status ?? null
}

describe('the name in Host', () => {
  test.each([
    '127.0.0.1',
    '127.0.0.1:8765',
    'localhost:1',
    'LocalHost',
    'localhost.',
    '[::1]:8765',
    '127.9.9.9:80',
    'jobs.example.org',
    'JOBS.example.org:443',
  ])('%s is served', (host) => {
    expect(guarded({ host })).toBeNull()
  })

  test.each([
    '',
    'evil.example',
    'localhost.evil.example',
    'evil.example:8765',
    '127.0.0.1.evil.example',
    'evil@127.0.0.1',
    '127.0.0.1@evil.example',
    '127.0.0.1/evil',
    '127.0.0.1:8765:1',
    'evil.example, 127.0.0.1',
    '0.0.0.0:8765',
    '192.168.0.1',
    'xjobs.example.org',
    'jobs.example.org.evil.example',
    '[::2]',
    '2130706433',
  ])('"%s" is not', (host) => {
    expect(guarded({ host })).toBe(403)
  })
})

describe('the page in Origin', () => {
  test.each(['http://localhost:6274', 'http://127.0.0.1', 'https://[::1]:1', 'https://jobs.example.org'])(
    '%s may call',
    (origin) => {
      expect(guarded({ host: 'localhost', origin })).toBeNull()
    },
  )

  test.each([
    'null',
    '',
    'https://evil.example',
    'http://localhost.evil.example',
    'http://jobs.example.org',
    'http://localhost@evil.example',
    'http://evil.example, http://localhost',
    'file://localhost',
    'http://localhost/path',
  ])('"%s" may not', (origin) => {
    expect(guarded({ host: 'localhost', origin })).toBe(403)
  })

  test('refusals say what to do, in plain characters', async () => {
    const headers = { host: 'localhost', origin: `https://${'e'.repeat(500)}` }
    const response = guardAddress(new Request('http://localhost/mcp', { headers }), { publicNames })
    const { message } = refusalOf((await response?.text()) ?? '')
    expect(message).toContain('--public-name')
    expect(message.length).toBeLessThan(400)
  })
})

describe('what can be a message', () => {
  const json = { 'content-type': 'application/json' }
  const cases: readonly [string, Readonly<Record<string, string>>, number | null][] = [
    ['POST', json, null],
    ['POST', { 'content-type': 'application/json; charset=utf-8' }, null],
    ['POST', { ...json, 'content-length': String(largestBodyBytes) }, null],
    ['POST', { ...json, 'content-length': String(largestBodyBytes + 1) }, 413],
    ['POST', {}, 415],
    ['POST', { 'content-type': 'text/plain' }, 415],
    ['POST', { 'content-type': 'application/jsonp' }, 415],
    ['POST', { 'content-type': 'text/plain; application/json' }, 415],
    ['POST', { ...json, 'content-encoding': 'gzip' }, 415],
    ['GET', {}, 405],
    ['DELETE', {}, 405],
    ['GET', { 'mcp-session-id': 'x' }, null],
    ['DELETE', { 'mcp-session-id': 'x' }, null],
    ['PUT', json, 405],
    ['OPTIONS', {}, 405],
    ['HEAD', {}, 405],
  ]
  test.each(cases)('%s with %o', (method, headers, status) => {
    expect(guardMessage(new Request('http://localhost/mcp', { method, headers }))?.status ?? null).toBe(status)
  })
})

describe('where to listen', () => {
  test('takes addresses of this machine', () => {
    expect(parseListen('127.0.0.1:0', [])).toEqual({ host: '127.0.0.1', port: 0 })
    expect(parseListen('[::1]:8765', [])).toEqual({ host: '::1', port: 8765 })
    expect(parseListen('Localhost:80', [])).toEqual({ host: 'localhost', port: 80 })
  })

  test.each(['0.0.0.0:8765', '[::]:8765', 'jobs.example.org:80', '10.0.0.1:1'])(
    'takes %s only behind a proxy that has a name',
    (text) => {
      expect(() => parseListen(text, [])).toThrow('does not encrypt')
      expect(parseListen(text, publicNames).port).toBeGreaterThan(0)
    },
  )

  test.each(['8765', '127.0.0.1', '127.0.0.1:99999', ':8765', 'a b:1', 'http://127.0.0.1:1'])('refuses %s', (text) => {
    expect(() => parseListen(text, [])).toThrow('is not HOST:PORT')
  })

  test('takes names, not URLs, as names of a proxy', () => {
    expect(parsePublicNames(['Jobs.Example.org'])).toEqual(['jobs.example.org'])
    for (const text of ['https://jobs.example.org', 'jobs.example.org:443', '', '*']) {
      expect(() => parsePublicNames([text])).toThrow('is not the name of a machine')
    }
  })
})
