import { expect, test } from 'vitest'
import { createMessageIdScanner } from '../../../src/server/message-id-scanner.ts'

function scan(text: string): { readonly id: unknown; readonly isCall: boolean } {
  const scanner = createMessageIdScanner()
  for (const byte of Buffer.from(text)) scanner.read(Buffer.of(byte))
  return { id: scanner.id(), isCall: scanner.isCall() }
}

test.each([
  ['{"id":1,"method":"m"}', 1, true],
  ['{"method":"m","params":{"id":2,"a":[{"id":3}]},"id":"a\\"b"}', 'a"b', true],
  ['  {  "id" : 12 , "method" : "m" }', 12, true],
  ['{"method":"m","params":{"text":"\\"id\\":5,"}}', undefined, true],
  ['{"params":"id","id":-4,"method":"m"}', -4, true],
  ['{"id":null,"method":"m"}', undefined, true],
  ['{"id":1.5,"method":"m"}', undefined, true],
  ['{"id":{"id":1},"method":"m"}', undefined, true],
  ['{"id":9,"result":{"method":"m"}}', 9, false],
  ['[{"id":1,"method":"m"}]', undefined, false],
  ['}}}}]]"id":1', undefined, false],
  ['no JSON at all "id":1', undefined, false],
  [`{"id":"${'x'.repeat(1_000)}","method":"m"}`, undefined, true],
])('the id of %s', (text, id, isCall) => {
  expect(scan(text)).toEqual({ id, isCall })
})
