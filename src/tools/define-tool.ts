import type {
  CallToolResult,
  InputRequiredResult,
  Tool as ListedTool,
  ToolAnnotations,
} from '@modelcontextprotocol/server'
import type { z } from 'zod'
import { QueueError } from '../domain/errors.ts'
import {
  type OperationAnswer,
  type OperationName,
  type OperationRequest,
  operations,
} from '../domain/wire/operations.ts'
import type { SubmitContext } from '../domain/wire/submit.ts'
import { type AnswerForm, finishAnswer } from './finish-answer.ts'
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
  /** 128 random bits in hex: whoever knows a task's id may see and cancel it. */
  newTaskId(): string
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
  /** Whose tasks this call may make and see. */
  readonly principal: string
  /** The client takes a task as the answer of this call. */
  readonly takesTasks: boolean
  /** The client says that it can show a form to its user. */
  readonly canAsk: boolean
  /** What the user answered to the questions of this call's earlier round, by key; undefined in the first round. */
  readonly inputResponses?: Readonly<Record<string, unknown>> | undefined
  /** Only when the client wants to be told. */
  readonly reportProgress?: ((progress: CallProgress) => void) | undefined
  /** When the call began, on the clock of `performance.now()`; now where it is left out. */
  readonly begun?: number | undefined
}

/** What a call gives: a result, or questions to the user before it can give one. */
export type ToolOutcome = CallToolResult | InputRequiredResult

export interface Tool {
  readonly name: OperationName
  /** The tool as clients see it in tools/list; made at the first look. */
  listed(): ListedTool
  /** Makes a result of an answer that was got in another way than by running it. */
  finish(answer: unknown): CallToolResult
  /** Never throws: an error is an answer, too. */
  run(given: unknown, call: ToolCall, host: ToolHost): Promise<ToolOutcome>
}

export type AskManager = <Name extends OperationName>(
  name: Name,
  request: OperationRequest<Name>,
) => Promise<OperationAnswer<Name>>

/** One call on its way, for a tool that does more than ask the manager once. */
export interface OngoingCall<Name extends OperationName> {
  readonly ask: AskManager
  readonly call: ToolCall
  readonly host: ToolHost
  /** When the call has to be answered, on the clock of `performance.now()`. */
  readonly deadline: number
  /** The request that the definition makes of the arguments. */
  request(): Promise<OperationRequest<Name>>
  /** Reports progress from now on, when the client wants it and the tool can. */
  accompany(request: OperationRequest<Name>): void
  /** Makes a result of an answer of the tool's own operation. */
  finish(answer: OperationAnswer<Name>): CallToolResult
}

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
  /** Instead of asking the manager once: waits, makes a task, asks the user. */
  perform?(input: z.output<Input>, on: OngoingCall<Name>): Promise<ToolOutcome>
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
  const form: AnswerForm = {
    name,
    schema: operations[name].answer,
    ...(definition.fit === undefined ? {} : { fit: definition.fit as (answer: unknown) => unknown }),
  }
  let listed: ListedTool | undefined
  const perform =
    definition.perform ??
    (async (_input: z.output<Input>, on: OngoingCall<Name>) => {
      const request = await on.request()
      on.accompany(request)
      return on.finish(await on.ask(name, request))
    })

  return {
    name,
    listed() {
      listed ??= {
        name,
        title: definition.title,
        description: `${definition.description.trim()}\n\nExample: ${JSON.stringify(definition.example)}`,
        inputSchema: plainJsonSchema(input, 'input', name),
        outputSchema: plainJsonSchema(form.schema, 'output', name),
        annotations: { title: definition.title, ...definition.annotations },
        ...(definition.meta === undefined ? {} : { _meta: definition.meta }),
      }
      return listed
    },
    finish: (answer) => finishAnswer(form, answer),

    async run(given, call, host) {
      let usedKey: string | undefined
      let endProgress: (() => void) | undefined
      const { begun = performance.now() } = call
      const deadline = AbortSignal.timeout(Math.max(1, Math.ceil(begun + answerDeadlineMs - performance.now())))
      try {
        const checked = checkedArguments(input, given, definition)
        const signal = AbortSignal.any([call.signal, deadline])
        const ask: AskManager = (other, about) => host.call(other, about, signal)
        const caller: ToolCaller = {
          submitContext: () => host.submitContext(call.submittedBy),
          idempotencyKey: (own) => {
            usedKey = own ?? host.newIdempotencyKey()
            return usedKey
          },
        }
        return await perform(checked, {
          ask,
          call,
          host,
          deadline: begun + answerDeadlineMs,
          request: async () => await definition.request(checked, caller),
          accompany(request) {
            if (call.reportProgress !== undefined) {
              endProgress = definition.accompany?.(request, call.reportProgress, ask)
            }
          },
          finish: (answer) => finishAnswer(form, answer),
        })
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
