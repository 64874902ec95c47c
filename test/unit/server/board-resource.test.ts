import { ResourceNotFoundError, type ServerContext } from '@modelcontextprotocol/server'
import { expect, test } from 'vitest'
import { boardResources, boardUri } from '../../../src/server/resources/board-resource.ts'
import type { Caller } from '../../../src/server/served.ts'

const context = {} as ServerContext
const caller: Caller = { era: 'modern', principal: 'local', submittedBy: 'test', takesTasks: false, canAsk: false }

test('a page that is missing is not found, with what to do', async () => {
  const read = boardResources('/nowhere/board.html').read(boardUri, context, caller)
  await expect(read).rejects.toThrow(ResourceNotFoundError)
  await expect(read).rejects.toThrow(/\/nowhere\/board\.html cannot be read\. Install Nightkiln again.*list_jobs/)
})

test('other addresses are those of other families', async () => {
  expect(await boardResources('/nowhere/board.html').read('ui://nightkiln/other', context, caller)).toBeNull()
})
