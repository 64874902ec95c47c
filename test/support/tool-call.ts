import type { CallToolResult } from '@modelcontextprotocol/server'
import type { OperationName } from '../../src/domain/wire/operations.ts'
import { tools } from '../../src/tools/all-tools.ts'
import type { Tool, ToolCall, ToolHost } from '../../src/tools/define-tool.ts'

/** What a tool asked the manager. */
export interface AskedOperation {
  readonly name: OperationName
  readonly request: Record<string, unknown>
}

/** A call of a client that knows neither tasks nor forms. */
export function plainCall(changes: Partial<ToolCall> = {}): ToolCall {
  return {
    signal: new AbortController().signal,
    submittedBy: 'client 1',
    principal: 'local',
    takesTasks: false,
    canAsk: false,
    ...changes,
  }
}

/** @param answer what the manager says; what it throws, or an Error, is refused */
export function hostAnswering(answer: unknown, asked: AskedOperation[] = []): ToolHost {
  return {
    call: async (name, request) => {
      asked.push({ name, request: request as Record<string, unknown> })
      const given: unknown = typeof answer === 'function' ? (answer as (about: unknown) => unknown)(request) : answer
      if (given instanceof Error) throw given
      return given as never
    },
    submitContext: async (submittedBy) => ({ environment: {}, cwd: '/work', submitted_by: submittedBy }),
    newIdempotencyKey: () => 'random-key',
    newTaskId: () => '0'.repeat(32),
  }
}

/** Calls a tool on a manager that answers with what is given, or throws it. */
export async function callTool(name: string | Tool, input: unknown, answer: unknown) {
  const seen: AskedOperation[] = []
  const tool = typeof name === 'string' ? tools.find((candidate) => candidate.name === name) : name
  if (tool === undefined) throw new Error(`no tool ${String(name)}`)
  const result = (await tool.run(input, plainCall(), hostAnswering(answer, seen))) as CallToolResult
  const first = result.content[0]
  return { result, text: first?.type === 'text' ? first.text : '', seen }
}
