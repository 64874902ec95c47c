import type { z } from 'zod'
import { QueueError } from '../domain/errors.ts'

/**
 * Brings an answer of the manager into the promised form. A newer manager may say more than this front end knows;
 * what is unknown is left out.
 * @throws QueueError internal when something promised is missing or different
 */
export function shapedAnswer<Answer extends z.ZodType>(
  schema: Answer,
  answer: unknown,
  name: string,
): z.output<Answer> {
  const parsed = schema.safeParse(answer)
  if (parsed.success) return parsed.data
  const known = structuredClone(answer)
  for (const issue of parsed.error.issues) {
    if (issue.code === 'unrecognized_keys') removeKeys(known, issue.path, issue.keys)
  }
  const again = schema.safeParse(known)
  if (again.success) return again.data
  const issue = again.error.issues[0]
  throw new QueueError(
    'internal',
    `the manager's answer to ${name} is not in the promised form: ${issue?.path.map(String).join('.') ?? ''} ${issue?.message ?? ''}`,
  )
}

function removeKeys(root: unknown, path: readonly PropertyKey[], keys: readonly string[]): void {
  let target = root
  for (const step of path)
    target = typeof target === 'object' && target !== null ? Reflect.get(target, step) : undefined
  if (typeof target !== 'object' || target === null) return
  for (const key of keys) Reflect.deleteProperty(target, key)
}
