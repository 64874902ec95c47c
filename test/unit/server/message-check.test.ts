import { describe, expect, test } from 'vitest'
import { type CheckedMessage, checkMessage } from '../../../src/server/message-check.ts'

interface ProtocolError {
  readonly id?: unknown
  readonly error: { readonly code: number; readonly message: string }
}

function errorOf(line: string | Buffer): ProtocolError {
  const checked: CheckedMessage = checkMessage(Buffer.from(line))
  if (checked.kind !== 'refused' || checked.error === null) throw new Error(`was not refused aloud: ${checked.kind}`)
  expect(checked.error.endsWith('\n')).toBe(true)
  return JSON.parse(checked.error) as ProtocolError
}

describe('the check of a line', () => {
  test.each([
    ['{"jsonrpc":"2.0","id":1,"method":"ping"}', 'request'],
    ['{"jsonrpc":"2.0","id":"a","method":"no/such","params":{"_meta":{"progressToken":7}}}\r\n', 'request'],
    ['{"jsonrpc":"2.0","method":"notifications/initialized"}', 'notification'],
    ['{"jsonrpc":"2.0","id":1,"result":{}}', 'answer'],
    ['{"jsonrpc":"2.0","error":{"code":1,"message":"no"}}', 'answer'],
  ])('takes %s', (line, kind) => {
    expect(checkMessage(Buffer.from(line))).toEqual({ kind })
  })

  test.each([
    ['{"jsonrpc":"1.0","id":7,"method":"ping"}', /jsonrpc must be "2\.0"/],
    ['{"id":7,"method":"ping"}', /jsonrpc must be/],
    ['{"jsonrpc":"2.0","id":7,"method":42}', /method must be a string/],
    ['{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}', /params must be an object/],
    ['{"jsonrpc":"2.0","id":7,"method":"ping","params":{"_meta":"x"}}', /params\._meta must be an object/],
    ['{"jsonrpc":"2.0","id":7,"method":"ping","params":{"_meta":{"progressToken":1.5}}}', /progressToken must be/],
    ['{"jsonrpc":"2.0","id":7,"method":"ping","extra":1}', /"extra" is no field of a message/],
    ['{"jsonrpc":"2.0","id":7,"method":"ping","result":{}}', /"result" is no field/],
  ])('answers the request %s with its id and the reason', (line, reason) => {
    const { id, error } = errorOf(line)
    expect(id).toBe(7)
    expect(error).toMatchObject({ code: -32600, message: expect.stringMatching(reason) })
  })

  test.each(['null', 'true', '1.5', '1e400', '9007199254740993', '[1]', '{}'])(
    'an id %s is answered without it',
    (id) => {
      const answer = errorOf(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`)
      expect(answer).not.toHaveProperty('id')
      expect(answer.error.message).toContain('id must be a string or an integer')
    },
  )

  test.each([
    ['no JSON', 'x', -32700],
    ['half a message', '{"jsonrpc":"2.0","id":1', -32700],
    ['two messages', '{"jsonrpc":"2.0","id":1,"method":"ping"}{}', -32700],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600],
    ['a number', '42', -32600],
    ['an empty object', '{}', -32600],
  ])('%s is answered once, without an id', (_what, line, code) => {
    const answer = errorOf(line)
    expect(answer).not.toHaveProperty('id')
    expect(answer.error.code).toBe(code)
  })

  test('bytes that are no UTF-8 are refused, not replaced: the call would mean something else', () => {
    const line = Buffer.from('{"jsonrpc":"2.0","id":7,"method":"ping","params":{"file":"?"}}')
    line[line.indexOf('?')] = 0xe9
    expect(errorOf(line)).toMatchObject({ id: 7, error: { code: -32700 } })
    expect(errorOf(Buffer.from(line.toString('latin1').replace('7', '"\xe9"'), 'latin1'))).not.toHaveProperty('id')
  })

  test.each([
    '{"jsonrpc":"2.0","id":1,"result":7}',
    '{"jsonrpc":"1.0","id":1,"result":{}}',
    '{"error":"no"}',
    '{"jsonrpc":"1.0","method":"notifications/initialized"}',
  ])('nothing is said to %s: answers and notifications are never answered', (line) => {
    expect(checkMessage(Buffer.from(line))).toEqual({ kind: 'refused', error: null })
  })
})
