import { describe, expect, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import { parseRetryAfter } from '../../../src/gpu-client/http/retry-after.ts'
import { parseWorkerUrl } from '../../../src/gpu-client/worker-url.ts'

describe('the URL of a worker', () => {
  test.each([
    ['https://rig.local:7801', 'https://rig.local:7801', '/', false],
    ['https://rig.local/gpu', 'https://rig.local', '/gpu/', false],
    ['https://10.0.0.7:7801/gpu/', 'https://10.0.0.7:7801', '/gpu/', false],
    ['http://127.0.0.1:7801', 'http://127.0.0.1:7801', '/', true],
    ['http://127.9.9.9:7801', 'http://127.9.9.9:7801', '/', true],
    ['http://[::1]:7801', 'http://[::1]:7801', '/', true],
    ['http://localhost:7801', 'http://localhost:7801', '/', true],
    ['http://2130706433:7801', 'http://127.0.0.1:7801', '/', true],
  ])('%s', (text, origin, basePath, plain) => {
    expect(parseWorkerUrl(text)).toEqual({ origin, basePath, plain })
  })

  test.each([
    'http://rig.local:7801',
    'http://10.0.0.7:7801',
    'http://0.0.0.0:7801',
    'http://128.0.0.1',
    'http://[::2]:7801',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'ftp://127.0.0.1',
    'file:///etc/passwd',
    'rig.local:7801',
    '',
    'https://rig.local/?key=canary',
    'https://rig.local/#canary',
    'https://user:canary@rig.local',
    'https://canary@rig.local',
  ])('%j is refused, and says nothing secret', (text) => {
    const refusal = (() => {
      try {
        return parseWorkerUrl(text)
      } catch (error) {
        return error
      }
    })()
    expect(refusal).toBeInstanceOf(QueueError)
    expect(refusal).toMatchObject({ code: 'invalid_input' })
    expect((refusal as QueueError).message + (refusal as QueueError).remedy).not.toContain('canary')
  })
})

describe('Retry-After', () => {
  const now = Date.UTC(2030, 0, 1)
  test.each([
    ['0', 0],
    ['1.5', 1_500],
    [' 30 ', 30_000],
    ['99999', 3_600_000],
    ['Tue, 01 Jan 2030 00:00:20 GMT', 20_000],
    ['Mon, 31 Dec 2029 23:00:00 GMT', 0],
    ['Tue, 01 Jan 2099 00:00:00 GMT', 3_600_000],
    ['-5', null],
    ['later', null],
    ['2030', 2_030_000],
    ['', null],
    [null, null],
  ])('%j', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected)
  })
})
