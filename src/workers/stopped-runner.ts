import { readInputHolder } from './attempt-files.ts'
import { signal } from './end-tree.ts'
import type { ExecutorContext } from './executor-context.ts'
import type { ProcessFacts } from './process-table.ts'

/**
 * Lets a runner go on that a signal holds though its command has ended: nobody else would, and its attempt would run for
 * ever. While anything of the command lives it is left alone: a job may be held on purpose, as a whole. What holds the
 * input open waits for the runner and does not count.
 */
export async function continueStoppedRunner(
  context: ExecutorContext,
  runner: ProcessFacts,
  directory: string,
): Promise<void> {
  try {
    const holder = await readInputHolder(directory)
    const { processes } = await context.scanner.scan()
    for (const one of processes.values()) {
      const isOfCommand = one.parentPid === runner.pid || one.sessionId === runner.pid
      if (isOfCommand && one.pid !== runner.pid && one.pid !== holder) return
    }
    if (context.detached()) return
    context.log.warn({ pid: runner.pid }, 'the runner of a command that has ended was stopped by a signal: it goes on')
    signal(context.table, runner, 'SIGCONT')
  } catch (error) {
    context.log.debug({ pid: runner.pid, err: error }, 'cannot look at a stopped runner; looked at again')
  }
}
