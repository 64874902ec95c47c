import { statePaths } from '../../config/paths.ts'
import { type AttemptMark, markOf } from '../marks.ts'
import type { HostOrder, WireRun } from '../threads/protocol.ts'

/** @returns the mark of an attempt, and the variables by which its processes carry it */
export function attemptMarks(
  order: Pick<HostOrder, 'home' | 'instance_id'>,
  jobId: string,
  item: Pick<WireRun, 'unit_id' | 'attempt' | 'nonce'>,
): { readonly mark: AttemptMark; readonly marks: Readonly<Record<string, string>> } {
  const mark = markOf(order.instance_id, { unitId: item.unit_id, attempt: item.attempt, nonce: item.nonce })
  const marks = {
    NIGHTKILN_HOME: order.home,
    NIGHTKILN_CLI: statePaths(order.home).commandLine,
    NIGHTKILN_INSTANCE: mark.instanceId,
    NIGHTKILN_JOB_ID: jobId,
    NIGHTKILN_ATTEMPT_UNIT: mark.unitId,
    NIGHTKILN_ATTEMPT: String(item.attempt),
    NIGHTKILN_FENCE: mark.fence,
  }
  return { mark, marks }
}
