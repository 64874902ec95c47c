/** What a tool answers, as a host hands it on. */
export interface RawToolAnswer {
  readonly isError?: boolean | undefined
  readonly structuredContent?: unknown
  readonly content?: readonly unknown[] | undefined
}

/** Asks a tool of the server through the host. @throws ToolRefusal when the tool says no; any Error when nobody answers */
export type CallTool = <Answer>(name: string, input: Readonly<Record<string, unknown>>) => Promise<Answer>

/** The tool was reached and said no; the message is its own text. */
export class ToolRefusal extends Error {
  override name = 'ToolRefusal'
}

function textOf(answer: RawToolAnswer): string {
  const first = answer.content?.[0] as { type?: unknown; text?: unknown } | undefined
  return first?.type === 'text' && typeof first.text === 'string' ? first.text : ''
}

/**
 * @returns what the tool answered: its structured content, or its text, which says the same, where the host left that away
 * @throws ToolRefusal with the text of an error
 */
export function answerOf<Answer>(name: string, answer: RawToolAnswer): Answer {
  const text = textOf(answer)
  if (answer.isError === true) throw new ToolRefusal(text === '' ? `${name} failed without a reason` : text)
  if (typeof answer.structuredContent === 'object' && answer.structuredContent !== null) {
    return answer.structuredContent as Answer
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    parsed = null
  }
  if (typeof parsed === 'object' && parsed !== null) return parsed as Answer
  throw new Error(`${name} gave an answer that cannot be read: ${text.slice(0, 200)}`)
}
