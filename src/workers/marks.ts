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

/** What the processes of a thread host carry: its own, which every process inherits, or those of its attempts. */
export interface HostMark {
  readonly instanceId: string
  readonly hostId: string
  /** Its attempts, each `<unit id>.<fence>`. */
  readonly attempts: ReadonlySet<string>
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
  const hostId = read('HOST_ID')
  return {
    instanceId: read('INSTANCE'),
    unitId: read('ATTEMPT_UNIT'),
    fence: read('FENCE'),
    role: read('PROCESS'),
    ...(hostId === null ? {} : { hostId }),
  }
}

export function carriesMark(marks: ProcessMarks | null, mark: AttemptMark | HostMark): boolean {
  if (marks?.instanceId !== mark.instanceId) return false
  if ('hostId' in mark) return marks.hostId === mark.hostId || mark.attempts.has(`${marks.unitId}.${marks.fence}`)
  return marks.unitId === mark.unitId && marks.fence === mark.fence
}

/**
 * @param mark of what is to be ended: of a host its children inherit the role too, so that theirs says nothing
 * @param inRunnerSession our own processes are detached into sessions of their own; in the runner's session there is only
 * the launcher of the heal script, which carries no mark. A role with a mark there was set by the command.
 */
export function isProtected(
  marks: ProcessMarks | null,
  inRunnerSession: boolean,
  mark: AttemptMark | HostMark,
): boolean {
  if (marks?.role == null || !protectedRoles.includes(marks.role)) return false
  if (marks.role === 'host' && 'hostId' in mark && carriesMark(marks, mark)) return false
  return !inRunnerSession || marks.unitId === null
}
