import type { StatePaths } from '../../config/paths.ts'
import { toErrorRecord } from '../../domain/errors.ts'
import type { Session } from '../session.ts'
import { type Check, checkNamed } from './check.ts'
import { checkClients } from './client-check.ts'
import { checkGpuWorkers } from './gpu-check.ts'
import { checkHandlers } from './handler-check.ts'
import { checkDatabase, checkHealing, checkLock, checkManager, checkSocket } from './manager-checks.ts'
import { checkDesktopPath, checkNativeModule, checkNode } from './program-checks.ts'
import { checkConfiguration, checkFileSystem, checkFreeSpace, checkStateDirectory } from './state-checks.ts'

/** A check that fails itself is a finding, not the end of doctor. */
async function attempted(id: string, title: string, run: () => Check | Promise<Check>): Promise<Check> {
  try {
    return await run()
  } catch (error) {
    const record = toErrorRecord(error)
    return checkNamed(id, title).problem(record.message, record.remedy)
  }
}

/** Runs every check, from the program to its surroundings; changes nothing and starts no manager. */
export async function* runChecks(session: Session): AsyncGenerator<Check> {
  const { environment } = session
  yield await attempted('node', 'node', () => checkNode(environment))
  const native = checkNativeModule(environment)
  yield native.check
  let paths: StatePaths
  try {
    paths = session.paths()
  } catch (error) {
    const record = toErrorRecord(error)
    yield checkNamed('state_directory', 'state directory').problem(record.message, record.remedy)
    return
  }
  yield await attempted('state_directory', 'state directory', () => checkStateDirectory(paths.home))
  yield await attempted('file_system', 'file system', () => checkFileSystem(paths.home))
  yield await attempted('free_space', 'free space', () => checkFreeSpace(paths))
  yield await attempted('configuration', 'configuration', () => checkConfiguration(paths))
  yield await attempted('socket', 'socket', () => checkSocket(paths))
  const manager = await checkManager(session)
  if (native.loaded) yield await attempted('lock', 'lock', () => checkLock(paths, environment))
  yield manager.check
  if (native.loaded || manager.status !== null) {
    yield await attempted('database', 'database', () => checkDatabase(paths, manager.status, environment))
  }
  yield await attempted('handlers', 'handlers', () => checkHandlers(session))
  yield await attempted('gpu_workers', 'GPU workers', () => checkGpuWorkers(session, manager.status))
  yield await attempted('self_healing', 'self-healing', () => checkHealing(paths, session.now()))
  yield await attempted('desktop_path', 'PATH of desktop applications', () => checkDesktopPath())
  yield await attempted('mcp_clients', 'MCP clients', () => checkClients(session))
}
