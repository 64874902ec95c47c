/** Stored states. Pause, cancel, delay, backoff and approval are columns, not states (DESIGN §4). */
export const jobStates = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const
export type JobState = (typeof jobStates)[number]

export const finalJobStates = ['completed', 'failed', 'cancelled'] as const
export type FinalJobState = (typeof finalJobStates)[number]

export const unitStates = ['available', 'running', 'completed', 'failed', 'cancelled'] as const
export type UnitState = (typeof unitStates)[number]

export const finalUnitStates = ['completed', 'failed', 'cancelled'] as const
export type FinalUnitState = (typeof finalUnitStates)[number]

export const attemptOutcomes = [
  'running',
  'completed',
  'failed',
  'timed_out',
  'lost',
  'released',
  'rate_limited',
  'cancelled',
] as const
export type AttemptOutcome = (typeof attemptOutcomes)[number]

/** `inline`: within the manager, for work that needs no processor. */
export const executorKinds = ['command', 'gpu', 'inline', 'thread'] as const
export type ExecutorKind = (typeof executorKinds)[number]

export const cancelReasons = ['user', 'unit_failed', 'deadline', 'dependency', 'rejected', 'overlap', 'source'] as const
export type CancelReason = (typeof cancelReasons)[number]

/** What a dependency waits for: that the other job completes, or that it ends in any way. */
export const dependencyConditions = ['completed', 'ended'] as const
export type DependencyCondition = (typeof dependencyConditions)[number]

/** What a schedule does with due times that passed while nothing could run. */
export const missedPolicies = ['skip', 'once', 'all'] as const
export type MissedPolicy = (typeof missedPolicies)[number]

/** What a schedule does when its job of an earlier due time has not ended. */
export const overlapPolicies = ['skip', 'queue', 'cancel'] as const
export type OverlapPolicy = (typeof overlapPolicies)[number]

export const scheduleRunOutcomes = ['submitted', 'missed', 'overlapped', 'refused'] as const
export type ScheduleRunOutcome = (typeof scheduleRunOutcomes)[number]

/** Named priorities in running order; the number is what the database stores (1 runs first). */
export const priorities = { urgent: 1, normal: 2, low: 3, idle: 4 } as const
export type PriorityName = keyof typeof priorities
export type Priority = (typeof priorities)[PriorityName]

/** @returns the name of a stored priority. */
export function priorityName(priority: Priority): PriorityName {
  const found = (Object.keys(priorities) as PriorityName[]).find((name) => priorities[name] === priority)
  if (found === undefined) throw new RangeError(`unknown priority ${priority}`)
  return found
}

export function isFinalJobState(state: JobState): state is FinalJobState {
  return state === 'completed' || state === 'failed' || state === 'cancelled'
}

export function isFinalUnitState(state: UnitState): state is FinalUnitState {
  return state === 'completed' || state === 'failed' || state === 'cancelled'
}
