import { inputRequired, type ServerContext } from '@modelcontextprotocol/server'
import { expect, test } from 'vitest'
import { serveAsking } from '../../../src/server/ask-old-client.ts'
import type { Caller, ServedTool } from '../../../src/server/served.ts'

const caller: Caller = { era: 'legacy', principal: 'local', submittedBy: 'test', takesTasks: false, canAsk: true }
const context = {
  mcpReq: { id: 1, signal: new AbortController().signal, inputResponses: { go: { action: 'accept', content: {} } } },
} as unknown as ServerContext

interface Round {
  readonly answers: unknown
  readonly begun: number | undefined
}

/** Asks for a form in its first round, and answers in the second. */
function askingTool(rounds: Round[]): ServedTool {
  const form = { mode: 'form', message: 'Go?', requestedSchema: { type: 'object', properties: {} } } as const
  return {
    name: 'asks',
    listed: () => ({ name: 'asks', inputSchema: { type: 'object' } }),
    serve: async (_given, { mcpReq: { inputResponses } }, _caller, begun) => {
      rounds.push({ answers: inputResponses, begun })
      if (inputResponses !== undefined) return { content: [] }
      return inputRequired({ inputRequests: { go: inputRequired.elicit(form), stay: inputRequired.elicit(form) } })
    },
  }
}

test('all rounds of a call share one deadline, and answers that came with the call are none', async () => {
  const rounds: Round[] = []
  const asked: (number | undefined)[] = []
  const clock = [1_000, 21_000]
  const elicitInput = async (_form: unknown, options?: { readonly timeout?: number }) => {
    asked.push(options?.timeout)
    return { action: 'decline' } as const
  }
  await serveAsking({ elicitInput }, askingTool(rounds), {}, context, caller, () => clock.shift() ?? 0)
  expect(asked).toEqual([19_000, 19_000])
  expect(rounds).toEqual([
    { answers: undefined, begun: 1_000 },
    { answers: { go: { action: 'decline' }, stay: { action: 'decline' } }, begun: 1_000 },
  ])
})

test('a question without an answer is left out, and does not take the others with it', async () => {
  const rounds: Round[] = []
  const answers = [Promise.reject(new Error('Request timed out')), Promise.resolve({ action: 'decline' } as const)]
  const elicitInput = () => answers.shift() ?? Promise.reject(new Error('asked too often'))
  expect(await serveAsking({ elicitInput }, askingTool(rounds), {}, context, caller)).toEqual({ content: [] })
  expect(rounds[1]?.answers).toEqual({ stay: { action: 'decline' } })
})

test('nobody is asked when there is no time left to answer', async () => {
  const rounds: Round[] = []
  const clock = [0, 38_000]
  const elicitInput = () => Promise.reject(new Error('asked'))
  await serveAsking({ elicitInput }, askingTool(rounds), {}, context, caller, () => clock.shift() ?? 0)
  expect(rounds[1]?.answers).toEqual({})
})
