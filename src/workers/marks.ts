import { statePaths } from '../config/paths.ts'
import type { CommandTask } from '../domain/ports/executor.ts'
import type { ProcessMarks } from './process-table.ts'

/** What every process of one attempt carries in its environment (DESIGN §10.3). */
export interface AttemptMark {
  readonly instanceId: string
  readonly unitId: string
  /** `<attempt>.<nonce>`: numbers repeat after a restored backup, nonces do not. */
  readonly fence: string
}

/** Our own processes; never signalled because of a mark, a session or a parent. */
const protectedRoles: readonly string[] = ['manager', 'launcher', 'host']

export function markOf(instanceId: string, fence: { unitId: string; attempt: number; nonce: string }): AttemptMark {
  return { instanceId, unitId: fence.unitId, fence: `${fence.attempt}.${fence.nonce}` }
}

/**
 * @param own what else the executor tells the command, by name
 * @returns the job's environment with the marks of this attempt instead of any it inherited
 */
export function markedEnvironment(
  task: CommandTask,
  mark: AttemptMark,
  home: string,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries(task.spec.environment)) {
    if (name !== 'NIGHTKILN_PROCESS') environment[name] = value
  }
  return {
    ...environment,
    ...own,
    NIGHTKILN_HOME: home,
    NIGHTKILN_CLI: statePaths(home).commandLine,
    NIGHTKILN_INSTANCE: mark.instanceId,
    NIGHTKILN_JOB_ID: task.jobId,
    NIGHTKILN_ATTEMPT_UNIT: mark.unitId,
    NIGHTKILN_ATTEMPT: String(task.fence.attempt),
    NIGHTKILN_FENCE: mark.fence,
  }
}

/** @param entries `NAME=value`, in the order of the environment: the first of a name counts, as for getenv */
export function parseMarks(entries: readonly string[]): ProcessMarks {
  const read = (name: string): string | null => {
    const prefix = `NIGHTKILN_${name}=`
    return entries.find((entry) => entry.startsWith(prefix))?.slice(prefix.length) ?? null
  }
  return { instanceId: read('INSTANCE'), unitId: read('ATTEMPT_UNIT'), fence: read('FENCE'), role: read('PROCESS') }
}

export function carriesMark(marks: ProcessMarks | null, mark: AttemptMark): boolean {
  return marks?.unitId === mark.unitId && marks.fence === mark.fence && marks.instanceId === mark.instanceId
}

/**
 * @param inRunnerSession our own processes are detached into sessions of their own; in the runner's session there is only
 * the launcher of the heal script, which carries no mark. A role with a mark there was set by the command.
 */
export function isProtected(marks: ProcessMarks | null, inRunnerSession: boolean): boolean {
  if (marks?.role == null || !protectedRoles.includes(marks.role)) return false
  return !inRunnerSession || marks.unitId === null
}
