import { QueueError } from '../../src/domain/errors.ts'
import { tools } from '../../src/tools/all-tools.ts'
import type { ToolHost } from '../../src/tools/define-tool.ts'
import { plainCall } from './tool-call.ts'

/** A call that a text holds ready: the name of a tool and its arguments as JSON. */
export interface ReadyCall {
  readonly tool: string
  /** Undefined: it is no JSON. */
  readonly input: Record<string, unknown> | undefined
  readonly text: string
}

const names = tools.map(({ name }) => name)

/** @returns where the object ends that begins at `from`, braces in texts not counted; -1 when it does not end */
function endOfObject(text: string, from: number): number {
  let depth = 0
  let inText = false
  for (let at = from; at < text.length; at += 1) {
    const character = text[at]
    if (inText && character === '\\') at += 1
    else if (character === '"') inText = !inText
    else if (!inText && character === '{') depth += 1
    else if (!inText && character === '}') depth -= 1
    if (depth === 0) return at + 1
  }
  return -1
}

/** @returns every `tool_name {json}` of a text, in order. */
export function readyCallsIn(text: string): readonly ReadyCall[] {
  const begin = new RegExp(`\\b(${names.join('|')}) (?=\\{)`, 'g')
  return [...text.matchAll(begin)].map((match) => {
    const from = match.index + match[0].length
    const end = endOfObject(text, from)
    const json = text.slice(from, end < 0 ? undefined : end)
    try {
      return { tool: match[1] ?? '', input: JSON.parse(json) as Record<string, unknown>, text: match[0] + json }
    } catch {
      return { tool: match[1] ?? '', input: undefined, text: match[0] + json }
    }
  })
}

/** @returns the ready calls of a text that their tools would refuse before they ask the manager. */
export async function refusedCallsIn(text: string): Promise<readonly string[]> {
  const refused: string[] = []
  for (const call of readyCallsIn(text)) {
    const tool = tools.find(({ name }) => name === call.tool)
    let reached = false
    const host: ToolHost = {
      call: () => {
        reached = true
        return Promise.reject(new QueueError('internal', 'reached'))
      },
      submitContext: async (submittedBy) => ({ environment: {}, cwd: '/work', submitted_by: submittedBy }),
      newIdempotencyKey: () => 'key',
      newTaskId: () => '0'.repeat(32),
    }
    const result = call.input === undefined ? undefined : await tool?.run(call.input, plainCall(), host)
    if (!reached) refused.push(`${call.text}: ${JSON.stringify(result ?? 'no JSON')}`)
  }
  return refused
}
