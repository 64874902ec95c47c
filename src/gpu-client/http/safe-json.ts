import type { z } from 'zod'
import { WorkerFault } from '../worker-client.ts'

/** Deeper values are refused: what walks them must not run out of stack. */
const deepest = 120

function refuse(code: string, message: string): never {
  throw new WorkerFault('protocol', code, message)
}

/** Refuses what plain code trips over later: `__proto__` as a key, extreme depth. Walks without recursion. */
function checkShape(root: unknown): void {
  const waiting: { readonly value: object; readonly depth: number }[] = []
  const push = (value: unknown, depth: number): void => {
    if (typeof value === 'object' && value !== null) waiting.push({ value, depth })
  }
  push(root, 1)
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const { value, depth } = place
    if (depth > deepest) refuse('TOO_DEEP', `its answer is nested more than ${deepest} levels deep`)
    if (Array.isArray(value)) {
      for (const item of value) push(item, depth + 1)
      continue
    }
    if (Object.hasOwn(value, '__proto__')) refuse('FORBIDDEN_KEY', 'its answer holds a key that no worker sends')
    for (const item of Object.values(value)) push(item, depth + 1)
  }
}

/**
 * @param text of an answer, whole
 * @throws WorkerFault protocol NOT_JSON, TOO_DEEP, FORBIDDEN_KEY
 */
export function parseSafeJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    refuse('NOT_JSON', 'its answer is not JSON')
  }
  checkShape(value)
  return value
}

/** @throws WorkerFault protocol WRONG_SHAPE; names the place, never the value */
export function parseAs<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const place = parsed.error.issues[0]?.path.map(String).join('.').slice(0, 100) ?? ''
  return refuse('WRONG_SHAPE', place === '' ? 'its answer is of another kind' : `its answer has a wrong "${place}"`)
}
