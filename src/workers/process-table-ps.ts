import { spawnSync } from 'node:child_process'
import { parseMarks } from './marks.ts'
import type { ProcessFacts, ProcessMarks, ProcessTable } from './process-table.ts'

/** `pid ppid pgid sess stat lstart(5 words) command and environment` */
const line = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)(?:\s(.*))?$/

/**
 * The process table where there is no /proc (macOS), through `ps`. Untested on macOS: its parser is tested with the
 * output of another system. A session is not shown there as a number; the process group stands in for it.
 */
export function createPsProcessTable(program = '/bin/ps'): ProcessTable {
  const columns = ['-o', 'pid=,ppid=,pgid=,sess=,stat=,lstart=,command=']
  const read = (selection: readonly string[]): readonly Row[] => {
    const answer = spawnSync(program, ['-E', '-ww', ...selection, ...columns], {
      encoding: 'latin1',
      env: { LC_ALL: 'C', TZ: 'UTC' },
      maxBuffer: 64 * 1024 * 1024,
    })
    // 1: none found. Anything else tells nothing.
    if (answer.error !== undefined) throw answer.error
    if (answer.status !== 0 && answer.status !== 1) throw new Error(`${program} ended with ${answer.status}`)
    return parsePs(answer.stdout)
  }
  return {
    list: () => read(['-A']).map((row) => row.facts),
    find: (pid) => read(['-p', String(pid)])[0]?.facts ?? null,
    marksOf: (pid) => read(['-p', String(pid)])[0]?.marks ?? null,
  }
}

interface Row {
  readonly facts: ProcessFacts
  readonly marks: ProcessMarks
}

/** @returns one row per living process of the output of `ps` with the columns above. */
export function parsePs(text: string): readonly Row[] {
  const rows: Row[] = []
  for (const one of text.split('\n')) {
    const match = line.exec(one)
    if (match === null) continue
    const [, pid, parentPid, groupId, session, state, startTime, command] = match
    if (state === undefined || state.startsWith('Z')) continue
    const sessionId = Number(session)
    rows.push({
      facts: {
        pid: Number(pid),
        parentPid: Number(parentPid),
        groupId: Number(groupId),
        sessionId: Number.isInteger(sessionId) && sessionId > 0 ? sessionId : Number(groupId),
        startTime: (startTime ?? '').replace(/\s+/g, ' '),
        ...(state.startsWith('T') ? { isStopped: true } : {}),
        ...(state.startsWith('D') || state.startsWith('U') ? { isUninterruptible: true } : {}),
      },
      marks: parseMarks((command ?? '').split(' ').filter((word) => word.startsWith('NIGHTKILN_'))),
    })
  }
  return rows
}
