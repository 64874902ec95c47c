import type { ProcessFacts, ProcessMarks, ProcessTable } from './process-table.ts'

/** The processes of one moment, with their marks read at most once. */
export interface ProcessScan {
  readonly processes: ReadonlyMap<number, ProcessFacts>
  marksOf(pid: number): ProcessMarks | null
}

export interface ProcessScanner {
  /** A scan begun after the call. Calls of the same moment share one: many commands may end at once. */
  scan(): Promise<ProcessScan>
}

export function createProcessScanner(table: ProcessTable): ProcessScanner {
  let next: Promise<ProcessScan> | null = null
  const take = (): ProcessScan => {
    const processes = new Map(table.list().map((facts) => [facts.pid, facts]))
    const marks = new Map<number, ProcessMarks | null>()
    return {
      processes,
      marksOf(pid) {
        let known = marks.get(pid)
        if (known === undefined) {
          known = table.marksOf(pid)
          marks.set(pid, known)
        }
        return known
      },
    }
  }
  return {
    scan() {
      next ??= new Promise((resolve, reject) => {
        setImmediate(() => {
          next = null
          try {
            resolve(take())
          } catch (error) {
            reject(error)
          }
        })
      })
      return next
    },
  }
}
