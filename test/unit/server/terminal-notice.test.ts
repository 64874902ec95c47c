import { expect, test } from 'vitest'
import { terminalNotice } from '../../../src/server/main.ts'

test('only a person in a terminal is told what this is', () => {
  expect(terminalNotice({ isTTY: true })).toBe(
    'nightkiln mcp speaks MCP on stdin and is started by MCP clients. Ctrl-C ends it. To set up a client: nightkiln setup',
  )
  expect(terminalNotice({})).toBe(null)
})
