import type { CallToolResult, Tool as ListedTool, ToolAnnotations } from '@modelcontextprotocol/server'
import type { z } from 'zod'
import { harmlessJson } from '../domain/display-text.ts'
import { QueueError } from '../domain/errors.ts'
import {
  type OperationAnswer,
  type OperationName,
  type OperationRequest,
  operations,
} from '../domain/wire/operations.ts'
import type { SubmitContext } from '../domain/wire/submit.ts'
import { shapedAnswer } from './answer-shape.ts'
import { plainJsonSchema } from './plain-json-schema.ts'
import { checkedArguments } from './tool-arguments.ts'
import { errorText } from './tool-errors.ts'

/** Clients give up after 45 s at the earliest; every answer leaves before. */
export const answerDeadlineMs = 44_000

/** What a tool may ask of the one who calls it. */
export interface ToolCaller {
  /** Environment and directory of this front end, named after the client. */
  submitContext(): Promise<SubmitContext>
  /** The idempotency key of this call: the given one, or a new random one. */
  idempotencyKey(given: string | undefined): string
}

/** What runs a tool: the manager, behind the limits of this process. */
export interface ToolHost {
  call<Name extends OperationName>(
    name: Name,
    request: OperationRequest<Name>,
    signal: AbortSignal,
  ): Promise<OperationAnswer<Name>>
  submitContext(submittedBy: string): Promise<SubmitContext>
  newIdempotencyKey(): string
}

/** How far a call is, for a client that shows it. */
export interface CallProgress {
  /** Never goes back within a call. */
  readonly progress: number
  readonly total: number
  readonly message?: string
}

export interface ToolCall {
  /** Aborts the request, never the job. */
  readonly signal: AbortSignal
  /** Name and version of the client, for people. */
  readonly submittedBy: string
  /** Only when the client wants to be told. */
  readonly reportProgress?: ((progress: CallProgress) => void) | undefined
}

export interface Tool {
  readonly name: OperationName
  /** The tool as clients see it in tools/list; made at the first look. */
  listed(): ListedTool
  /** Never throws: an error is an answer, too. */
  run(given: unknown, call: ToolCall, host: ToolHost): Promise<CallToolResult>
}

type AskManager = <Name extends OperationName>(
  name: Name,
  request: OperationRequest<Name>,
) => Promise<OperationAnswer<Name>>

interface ToolDefinition<Name extends OperationName, Input extends z.ZodType> {
  /** Name of the tool and of the operation that it calls. */
  readonly name: Name
  readonly title: string
  /** What, when, when not, what comes back. The example is added. */
  readonly description: string
  readonly example: z.input<Input>
  readonly input: Input
  readonly annotations: ToolAnnotations
  readonly meta?: Record<string, unknown>
  request(input: z.output<Input>, caller: ToolCaller): OperationRequest<Name> | Promise<OperationRequest<Name>>
  /** Reports progress while the call lasts. @returns a function that ends it */
  accompany?(request: OperationRequest<Name>, report: (progress: CallProgress) => void, ask: AskManager): () => void
  /** Makes a large answer smaller. */
  fit?(answer: OperationAnswer<Name>): OperationAnswer<Name>
}

/** Annotations of a tool that changes nothing and reaches nothing outside the queue. */
export const readOnly: ToolAnnotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
}

/** The full schema is in the client's first request instead of behind a tool search. */
export const alwaysLoad = { 'anthropic/alwaysLoad': true } as const

/** Larger answers, asked for by the caller, are not moved into a file by the client. */
export const largeAnswers = { 'anthropic/maxResultSizeChars': 200_000 } as const

function failure(thrown: unknown, idempotencyKey: string | undefined): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: errorText(thrown, idempotencyKey) }] }
}

/** Makes a tool of an operation: the one place that knows how arguments are checked and answers are written. */
export function defineTool<Name extends OperationName, Input extends z.ZodType>(
  definition: ToolDefinition<Name, Input>,
): Tool {
  const { name, input } = definition
  const answerSchema: z.ZodType = operations[name].answer
  let listed: ListedTool | undefined

  return {
    name,
    listed() {
      listed ??= {
        name,
        title: definition.title,
        description: `${definition.description.trim()}\n\nExample: ${JSON.stringify(definition.example)}`,
        inputSchema: plainJsonSchema(input, 'input', name),
        outputSchema: plainJsonSchema(answerSchema, 'output', name),
        annotations: { title: definition.title, ...definition.annotations },
        ...(definition.meta === undefined ? {} : { _meta: definition.meta }),
      }
      return listed
    },

    async run(given, call, host) {
      let usedKey: string | undefined
      let endProgress: (() => void) | undefined
      const deadline = AbortSignal.timeout(answerDeadlineMs)
      try {
        const checked = checkedArguments(input, given, definition)
        const request = await definition.request(checked, {
          submitContext: () => host.submitContext(call.submittedBy),
          idempotencyKey: (own) => {
            usedKey = own ?? host.newIdempotencyKey()
            return usedKey
          },
        })
        const signal = AbortSignal.any([call.signal, deadline])
        if (call.reportProgress !== undefined) {
          const ask: AskManager = (other, about) => host.call(other, about, signal)
          endProgress = definition.accompany?.(request, call.reportProgress, ask)
        }
        const answer = await host.call(name, request, signal)
        const shaped = harmlessJson(shapedAnswer(answerSchema, answer, name)) as OperationAnswer<Name>
        const structuredContent = (definition.fit?.(shaped) ?? shaped) as Record<string, unknown>
        return { structuredContent, content: [{ type: 'text', text: JSON.stringify(structuredContent) }] }
      } catch (error) {
        if (deadline.aborted && !call.signal.aborted) return failure(noAnswerInTime(name), usedKey)
        return failure(error, usedKey)
      } finally {
        endProgress?.()
      }
    },
  }
}

function noAnswerInTime(name: string): QueueError {
  return new QueueError(
    'manager_unavailable',
    `the manager gave no answer to ${name} within ${answerDeadlineMs / 1000} s`,
  )
}
