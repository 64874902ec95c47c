import { expect, test } from 'vitest'
import type { ErrorRecord } from '../../../src/domain/errors.ts'
import { failureSignature } from '../../../src/domain/failure-signature.ts'

const failed: ErrorRecord = { code: 'command_failed', message: 'exit code 1', remedy: 'Read the log.' }

test.each([
  [
    'line 1\nConnection to 10.0.0.7:8080 refused after 1.5 s\n',
    'Connection to 192.168.1.12:443 refused after 12 ms\n\n',
  ],
  ['cannot open /home/ann/in/4.pdf: no such file', 'cannot open /srv/x.pdf: no such file'],
  ['2031-05-04T22:00:00Z task 0x7fff21 failed', '2031-05-05T01:13:59.123+02:00 task 0xdead failed'],
  ['row 3f2504e0-4f89-11d3-9a0c-0305e82c3301 bad', 'row 3f2504e0-4f89-11d3-9a0c-0305e82c3302 bad'],
  ['http://localhost:8080/a?x=1 answered 404', 'https://example.com/b/c answered 404'],
  ['commit 9fceb02d0ae5 lost', 'commit 1a2b3c4d5e6f lost'],
  ['\u001b[31mError: 5\u001b[0m', 'Error: 61'],
])('%j and %j are the same failure', (one, other) => {
  expect(failureSignature(failed, 1, one)).toBe(failureSignature(failed, 1, other))
})

test('another exit code, another code or other words are another failure', () => {
  const all = [
    failureSignature(failed, 1, 'refused'),
    failureSignature(failed, 2, 'refused'),
    failureSignature(failed, 1, 'timed out'),
    failureSignature({ ...failed, code: 'attempt_timed_out' }, null, ''),
  ]
  expect(new Set(all).size).toBe(4)
  expect(all[0]).toBe('command_failed, exit code 1: refused')
})

test('a URL is no path, and the status that was answered stays', () => {
  const rejected: ErrorRecord = {
    ...failed,
    code: 'handler_rejected',
    message: 'http://127.0.0.1:8080/nope answered 404',
  }
  expect(failureSignature(rejected, null, '')).toBe('handler_rejected: <url> answered 404')
  expect(failureSignature(failed, null, 'cannot get (http://a.b/c): answered 503 after 3 tries')).toBe(
    'command_failed: cannot get (<url>): answered 503 after # tries',
  )
})

test('is bounded and harmless whatever the job printed', () => {
  const signature = failureSignature(failed, 1, `\u0007\u202e${'a/'.repeat(100_000)}`)
  expect(signature.length).toBeLessThanOrEqual(200)
  expect(signature).not.toContain('\u0007')
})
