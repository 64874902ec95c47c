import { describe, expect, test } from 'vitest'
import { Reject } from '../../../src/handler/index.ts'
import { connectionError } from '../../../src/workers/handlers/http/connection-error.ts'
import { httpParams, httpUnit } from '../../../src/workers/handlers/http/http-params.ts'
import { type Request, redirected } from '../../../src/workers/handlers/http/redirect.ts'

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
const asked = (url: string): Request => ({
  url: new URL(url),
  method: 'GET',
  headers: { authorization: 'Bearer x', accept: '*/*', range: 'bytes=5-', 'if-range': '"one"' },
  body: null,
  redirects: 5,
})

describe('a redirect', () => {
  test('never goes from https to http', () => {
    const follow = () => redirected(asked('https://example.org/a?key=1'), 302, 'http://example.org/b?key=2', silent)
    expect(follow).toThrow(Reject)
    expect(follow).toThrow(
      'https://example.org/a?… redirects to http://example.org/b?…, which is not followed: it is not encrypted any more',
    )
  })

  test('goes from http to https, which is another origin', () => {
    const { url, headers } = redirected(asked('http://example.org/a'), 302, 'https://example.org/a', silent)
    expect(url.href).toBe('https://example.org/a')
    expect(headers).toEqual({ accept: '*/*', range: 'bytes=5-', 'if-range': '"one"' })
  })

  test('takes no user name of a server', () => {
    const { url } = redirected(asked('https://example.org/a'), 302, 'https://kim:secret@example.org/b#c', silent)
    expect(url.href).toBe('https://example.org/b')
  })
})

describe('an error of a connection', () => {
  const told = (code: string, message = 'the message') =>
    (connectionError(Object.assign(new Error(message), { code }), new URL('https://example.org/a')) as Error).message

  test.each([
    ['ECONNREFUSED', 'example.org refused the connection'],
    ['ENOTFOUND', 'example.org is not known to the name service'],
    ['EAI_AGAIN', 'example.org could not be looked up: the name service does not answer'],
    ['UND_ERR_CONNECT_TIMEOUT', 'example.org does not answer'],
    ['CERT_HAS_EXPIRED', 'no safe connection to example.org: the message (CERT_HAS_EXPIRED)'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'no safe connection to example.org: the message (DEPTH_ZERO_SELF_SIGNED_CERT)'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'no safe connection to example.org: the message (ERR_TLS_CERT_ALTNAME_INVALID)'],
    ['EWHATEVER', 'example.org failed: the message'],
  ])('%s is told as: %s', (code, message) => {
    expect(told(code)).toBe(message)
  })

  test('of several addresses is that of the first', () => {
    const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' })
    const all = new AggregateError([refused, new Error('y')], 'several')
    expect((connectionError(all, new URL('https://example.org/')) as Error).message).toContain('refused')
  })

  test('that a handler throws on purpose stays what it is', () => {
    const reject = new Reject('bad')
    expect(connectionError(reject, new URL('https://example.org/'))).toBe(reject)
  })
})

describe('the parameters of http', () => {
  test.each<[object, string]>([
    [{ body: 'x', json: 1, method: 'POST' }, 'cannot be given beside body'],
    [{ body: 'x' }, 'must be one that sends a body'],
    [{ json: null, method: 'HEAD' }, 'must be one that sends a body'],
    [{ max_bytes: 64 * 1024 ** 2 }, 'use "download": true'],
    [{ download: true, method: 'HEAD' }, 'is not possible with method "HEAD"'],
    [{ headers: { 'Content-Length': '5' } }, 'is set by nightkiln itself'],
    [{ headers: { Range: 'bytes=5-' }, download: true }, 'is set by nightkiln itself'],
    [{ headers: { 'a b': 'x' } }, 'is not the name of a header'],
    [{ headers: { a: 'x\r\ny' } }, 'holds a character that no header may hold'],
    [{ headers: { a: { env: 'A-B' } } }, 'is not the name of a variable'],
    [{ headers: { a: { file: 'relative' } } }, 'is not an absolute path'],
    [{ method: 'TRACE' }, 'Invalid option'],
    [{ sha256: 'abc' }, 'must be 64 hex digits'],
    [{ expect_status: [] }, 'Too small'],
    [{ redirects: 21 }, 'Too big'],
    [{ download: { path: '/tmp/x' } }, 'Unrecognized key'],
  ])('%j are refused', (params, words) => {
    expect(JSON.stringify(httpParams.safeParse(params).error?.issues ?? 'taken')).toContain(
      JSON.stringify(words).slice(1, -1),
    )
  })

  test.each([
    {},
    { max_bytes: 64 * 1024 ** 2, download: true },
    { headers: { Range: 'bytes=5-' } },
    { method: 'DELETE', json: [1] },
    { url: 'https://example.org/{{unit}}', expect_status: [200, '4xx'] },
  ])('%j are taken', (params) => {
    expect(httpParams.safeParse(params).error).toBeUndefined()
  })

  test.each([undefined, 'text', 7, { url: 'x', size: 3 }, { name: null, sha256: '' }])('a unit may be %j', (unit) => {
    expect(httpUnit.safeParse(unit).error).toBeUndefined()
  })

  test.each([true, ['x'], { sha256: 'short' }, { url: 7 }])('a unit may not be %j', (unit) => {
    expect(httpUnit.safeParse(unit).success).toBe(false)
  })
})
