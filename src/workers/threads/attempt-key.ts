import type { Fence } from '../../domain/job.ts'

/** @returns the name of one attempt, as in that of its directory; `<unit id>.<mark of its fence>`. */
export function attemptKey(fence: Pick<Fence, 'unitId' | 'attempt' | 'nonce'>): string {
  return `${fence.unitId}.${fence.attempt}.${fence.nonce}`
}
