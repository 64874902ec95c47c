import type { DisplayStateName } from '../domain/wire/shared.ts'

/** What a person looks for in a list of jobs; every state belongs to exactly one. */
export const jobGroups = ['needs_you', 'running', 'waiting', 'failed', 'finished'] as const
export type JobGroup = (typeof jobGroups)[number]
export type Filter = JobGroup | 'all'
export const filters: readonly Filter[] = ['all', ...jobGroups]

export const filterLabels: Readonly<Record<Filter, string>> = {
  all: 'All',
  needs_you: 'Needs you',
  running: 'Running',
  waiting: 'Waiting',
  failed: 'Failed',
  finished: 'Finished',
}

const groups: Readonly<Record<DisplayStateName, JobGroup>> = {
  awaiting_approval: 'needs_you',
  running: 'running',
  cancelling: 'running',
  pausing: 'running',
  queued: 'waiting',
  scheduled: 'waiting',
  blocked: 'waiting',
  paused: 'waiting',
  rate_limited: 'waiting',
  retrying: 'waiting',
  failed: 'failed',
  completed: 'finished',
  completed_with_failures: 'finished',
  cancelled: 'finished',
}

/** @returns the group of a state; one that a newer server invented counts as waiting */
export function groupOf(state: string): JobGroup {
  return Object.hasOwn(groups, state) ? groups[state as DisplayStateName] : 'waiting'
}

export function isFinal(state: string): boolean {
  const group = groupOf(state)
  return group === 'failed' || group === 'finished'
}

export function isShown(state: string, filter: Filter): boolean {
  return filter === 'all' || groupOf(state) === filter
}

/** @returns the word for people: "awaiting approval" */
export function stateLabel(state: string): string {
  return state.replaceAll('_', ' ')
}

/** @returns what list_jobs calls the finished jobs of a filter: those that go on are read apart */
export function finishedStates(filter: Filter): readonly string[] {
  if (filter === 'failed') return ['failed']
  return filter === 'finished' ? ['completed', 'cancelled'] : ['finished']
}

/** @returns the filter that comes closest to the arguments of the list_jobs call that opened the board */
export function filterOfArguments(given: Readonly<Record<string, unknown>>): Filter {
  const states = Array.isArray(given['states']) ? (given['states'] as readonly unknown[]) : []
  if (states.length === 0) return 'all'
  if (states.every((state) => state === 'failed')) return 'failed'
  if (states.every((state) => state === 'running')) return 'running'
  return states.every((state) => state === 'completed' || state === 'cancelled') ? 'finished' : 'all'
}
