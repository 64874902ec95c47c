import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { faultOfConnection } from '../../../src/gpu-client/http/connection-faults.ts'
import { WorkerFault } from '../../../src/gpu-client/worker-client.ts'

const codes = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ETIMEDOUT',
  'ECONNRESET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
]
const errorWith = (code: unknown, message = 'canary'): Error => Object.assign(new Error(message), { code })

describe('a broken connection', () => {
  test('counts as not sent only while it is being made, whatever its code is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...codes), fc.string(), fc.anything()), (code) => {
        expect(['ambiguous', 'protocol']).toContain(faultOfConnection(errorWith(code), false).kind)
        expect(['not_sent', 'tls']).toContain(faultOfConnection(errorWith(code), true).kind)
      }),
    )
  })

  test.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
    ['EPROTO', 'tls'],
    ['ECONNREFUSED', 'not_sent'],
    ['ENOTFOUND', 'not_sent'],
    ['UND_ERR_CONNECT_TIMEOUT', 'not_sent'],
    ['ECONNRESET', 'not_sent'],
  ])('while it was being made: %s is %s', (code, kind) => {
    expect(faultOfConnection(errorWith(code), true)).toMatchObject({ kind, code })
  })

  test('is told in words of ours', () => {
    const fault = faultOfConnection(errorWith('ECONNREFUSED', 'connect ECONNREFUSED canary'), true)
    expect(fault.message).toBe('connection refused')
  })

  test('of several addresses has the code of the first', () => {
    const all = new AggregateError([errorWith('ECONNREFUSED'), errorWith('EHOSTUNREACH')])
    expect(faultOfConnection(all, true).code).toBe('ECONNREFUSED')
    expect(faultOfConnection('what', false).code).toBe('UNKNOWN')
  })

  test('that was judged already stays so', () => {
    const fault = new WorkerFault('busy', 'BUSY', '')
    expect(faultOfConnection(fault, true)).toBe(fault)
  })
})
