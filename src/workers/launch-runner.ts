import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CommandTask } from '../domain/ports/executor.ts'
import { attemptFiles } from './attempt-files.ts'
import { resultFile, resultVariable } from './attempt-result.ts'
import type { ExecutorContext } from './executor-context.ts'
import { type AttemptMark, markedEnvironment } from './marks.ts'

const shellRunner = fileURLToPath(new URL('./runner.sh', import.meta.url))
// Beside this file as .ts or, when built, as .js.
const windowsRunner = fileURLToPath(new URL(`./runner-windows${extname(import.meta.url)}`, import.meta.url))

/** No process was made: `cause` is the system's error for it (E2BIG, EAGAIN, EMFILE, ENOENT …). */
export class SpawnFailure extends Error {
  constructor(cause: unknown) {
    super('no process could be started', { cause })
    this.name = 'SpawnFailure'
  }
}

/**
 * Starts the detached runner of an attempt: own session, no pipe to the manager, output straight to files.
 * @param program absolute path
 * @throws SpawnFailure when no process could be started; the system's error when the attempt directory refuses
 */
export async function launchRunner(
  context: ExecutorContext,
  task: CommandTask,
  mark: AttemptMark,
  directory: string,
  program: string,
): Promise<ChildProcess> {
  const [runner, script] =
    process.platform === 'win32' ? [process.execPath, windowsRunner] : [context.shell, shellRunner]
  const log = openSync(join(directory, attemptFiles.runnerLog), 'a', 0o600)
  let child: ChildProcess
  try {
    child = spawn(
      runner,
      [
        script,
        directory,
        context.paths.healScript,
        context.bootId,
        context.commandUmask,
        program,
        ...task.spec.argv.slice(1),
      ],
      {
        cwd: task.spec.cwd,
        env: markedEnvironment(task, mark, context.paths.home, fileVariables(task, directory)),
        detached: true,
        stdio: ['ignore', log, log],
        windowsHide: true,
      },
    )
  } catch (error) {
    throw new SpawnFailure(error)
  } finally {
    closeSync(log)
  }
  if (child.pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error]
    throw new SpawnFailure(error)
  }
  child.on('error', () => {
    // Only kill() and send() report here later; neither is used.
  })
  child.unref()
  return child
}

/** The paths that a command finds in its environment. */
function fileVariables(task: CommandTask, directory: string): Record<string, string> {
  const paths = task.files.map((file) => [file.variable, join(directory, file.name)] as const)
  return { ...Object.fromEntries(paths), [resultVariable]: resultFile(directory) }
}
