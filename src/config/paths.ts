import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import envPaths from 'env-paths'
import { QueueError } from '../domain/errors.ts'

/** Every path of one state directory. Nothing else in the code joins a file name to it. */
export interface StatePaths {
  readonly home: string
  readonly configFile: string
  readonly database: string
  readonly lockDatabase: string
  /** Instance marker: id and high-water mark of this state (DESIGN §10.13). */
  readonly instanceFile: string
  readonly managerFile: string
  readonly launchLock: string
  /** Why the last candidate could not start; read by the client that launched it. */
  readonly startupErrorFile: string
  /** Times of recent manager deaths, for the back-off of self-healing (DESIGN §10.21). */
  readonly deathsFile: string
  readonly healScript: string
  readonly ballastFile: string
  readonly attempts: string
  readonly artifacts: string
  readonly backups: string
  readonly logs: string
  readonly managerLog: string
}

/**
 * @returns the state directory: NIGHTKILN_HOME, or the platform's data directory of the user.
 * @throws QueueError config_invalid when NIGHTKILN_HOME is not absolute
 */
export function stateDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const chosen = environment['NIGHTKILN_HOME']
  if (chosen === undefined || chosen === '') return envPaths('nightkiln', { suffix: '' }).data
  if (!isAbsolute(chosen)) {
    throw new QueueError('config_invalid', `NIGHTKILN_HOME is "${chosen}", which is not an absolute path`, {
      remedy: `Set NIGHTKILN_HOME to an absolute path such as ${join(homedir(), 'nightkiln')}.`,
    })
  }
  return chosen
}

/** @returns all paths of a state directory; creates nothing. */
export function statePaths(home: string, environment: NodeJS.ProcessEnv = process.env): StatePaths {
  const custom = environment['NIGHTKILN_HOME'] !== undefined && environment['NIGHTKILN_HOME'] !== ''
  const configDirectory = custom ? join(home, 'config') : envPaths('nightkiln', { suffix: '' }).config
  return {
    home,
    configFile: join(configDirectory, 'config.json'),
    database: join(home, 'queue.db'),
    lockDatabase: join(home, 'lock.db'),
    instanceFile: join(home, 'instance.json'),
    managerFile: join(home, 'manager.json'),
    launchLock: join(home, 'launch.lock'),
    startupErrorFile: join(home, 'startup-error.json'),
    deathsFile: join(home, 'deaths.json'),
    healScript: join(home, 'heal.sh'),
    ballastFile: join(home, 'ballast'),
    attempts: join(home, 'attempts'),
    artifacts: join(home, 'artifacts'),
    backups: join(home, 'backups'),
    logs: join(home, 'logs'),
    managerLog: join(home, 'logs', 'manager.log'),
  }
}

/** @returns the directory of one attempt; the nonce keeps it apart from a restored past (DESIGN §10.2). */
export function attemptDirectory(paths: Pick<StatePaths, 'attempts'>, fence: { unitId: string; attempt: number; nonce: string }): string {
  return join(paths.attempts, `${fence.unitId}.${fence.attempt}.${fence.nonce}`)
}
