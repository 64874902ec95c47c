import type { ServerContext } from '@modelcontextprotocol/server'
import type { OperationAnswer, OperationName, OperationRequest } from '../../../../src/domain/wire/operations.ts'
import type { LazyHost } from '../../../../src/server/resources/ask-manager.ts'
import type { Caller } from '../../../../src/server/served.ts'

type Answers = {
  readonly [Name in OperationName]?:
    | OperationAnswer<Name>
    | Error
    | ((request: OperationRequest<Name>) => OperationAnswer<Name>)
}

export interface FakeManager {
  readonly host: LazyHost
  /** Every call so far, as `operation {request}`. */
  readonly seen: readonly string[]
}

/** A manager that answers with what is given, or throws it. */
export function fakeManager(answers: Answers): FakeManager {
  const seen: string[] = []
  return {
    seen,
    host: async () => ({
      call: (operation, request) => {
        seen.push(`${operation} ${JSON.stringify(request)}`)
        const answer: unknown = answers[operation]
        if (answer === undefined) return Promise.reject(new Error(`${operation} was not expected`))
        if (answer instanceof Error) return Promise.reject(answer)
        const given: unknown = typeof answer === 'function' ? answer(request) : answer
        return given instanceof Error ? Promise.reject(given) : Promise.resolve(given as never)
      },
      submitContext: () => Promise.reject(new Error('nothing is submitted')),
      newIdempotencyKey: () => 'unused',
      newTaskId: () => 'unused',
    }),
  }
}

/** What of a request the handlers look at. */
export const context = { mcpReq: { signal: new AbortController().signal } } as unknown as ServerContext

export const caller: Caller = {
  era: 'modern',
  principal: 'local',
  submittedBy: 'client 1',
  takesTasks: false,
  canAsk: false,
}

export interface Content {
  readonly uri: string
  readonly mimeType?: string
  readonly text?: string
  readonly blob?: string
  readonly _meta?: Record<string, unknown>
}

/** @returns the one content of a read resource; the types of the package leave it open. */
export function contentIn(result: unknown): Content {
  const contents = (result as { contents: Content[] } | null)?.contents ?? []
  const [content, ...others] = contents
  if (content === undefined || others.length > 0) throw new Error(`${contents.length} contents`)
  return content
}
