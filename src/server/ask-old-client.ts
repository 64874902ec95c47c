import {
  type CallToolResult,
  type ElicitRequestFormParams,
  type InputRequiredResult,
  isInputRequiredResult,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Caller, ServedTool } from './served.ts'

/** Questions end so long after the call began; what is left of its 44 s is for what the answers lead to, ms. */
const questionsEndMs = 39_000
/** Nobody reads and answers a form in less, ms. */
const shortestQuestionMs = 3_000

type Answers = Readonly<Record<string, unknown>>

/**
 * Serves a call of a client up to 2025-11-25, which is asked by requests of the server while its call lasts. Whoever does not answer
 * in time, or answers with nonsense, has not answered: the tool itself says what that means. The whole call keeps to one deadline.
 * @param now monotonic, ms
 */
export async function serveAsking(
  server: Pick<Server, 'elicitInput'>,
  tool: ServedTool,
  given: unknown,
  context: ServerContext,
  caller: Caller,
  now: () => number = () => performance.now(),
): Promise<CallToolResult | InputRequiredResult> {
  const begun = now()
  // Such a client cannot bring answers with its call.
  const outcome = await tool.serve(given, withAnswers(context, undefined), caller, begun)
  const forms = isInputRequiredResult(outcome) && caller.canAsk ? formsOf(outcome) : null
  if (forms === null) return outcome
  const timeout = questionsEndMs - (now() - begun)
  const answers = timeout < shortestQuestionMs ? {} : await ask(server, forms, context, timeout)
  context.mcpReq.signal.throwIfAborted()
  return await tool.serve(given, withAnswers(context, answers), caller, begun)
}

async function ask(
  server: Pick<Server, 'elicitInput'>,
  forms: ReadonlyMap<string, ElicitRequestFormParams>,
  { mcpReq: { id, signal } }: ServerContext,
  timeout: number,
): Promise<Answers> {
  const asked = [...forms].map(async ([key, form]) => {
    const answer = await server.elicitInput(form, { relatedRequestId: id, timeout, signal }).catch(() => undefined)
    return [key, answer] as const
  })
  return Object.fromEntries((await Promise.all(asked)).filter(([, answer]) => answer !== undefined))
}

/** @returns null when it asks for anything but forms */
function formsOf({ inputRequests, requestState }: InputRequiredResult): Map<string, ElicitRequestFormParams> | null {
  if (requestState !== undefined || inputRequests === undefined) return null
  const forms = new Map<string, ElicitRequestFormParams>()
  for (const [key, { method, params }] of Object.entries(inputRequests)) {
    if (method !== 'elicitation/create' || !('requestedSchema' in params)) return null
    forms.set(key, params)
  }
  return forms.size === 0 ? null : forms
}

function withAnswers(context: ServerContext, inputResponses: Answers | undefined): ServerContext {
  return { ...context, mcpReq: { ...context.mcpReq, inputResponses } } as ServerContext
}
