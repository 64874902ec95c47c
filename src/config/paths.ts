import { homedir } from 'node:os'
import { basename, isAbsolute, join } from 'node:path'
import envPaths from 'env-paths'
import { QueueError } from '../domain/errors.ts'

const platformPaths = envPaths('nightkiln', { suffix: '' })

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
  /** Script that runs this installation's command line: jobs find it whatever their PATH is. */
  readonly commandLine: string
  readonly ballastFile: string
  readonly attempts: string
  readonly artifacts: string
  /** Units of sources that are still being added to their jobs. */
  readonly sources: string
  /** Results of all units, for the final steps that run. */
  readonly results: string
  readonly exports: string
  readonly backups: string
  /** One directory for each thread host. */
  readonly hosts: string
  /** What is known of the files of the handler directory. */
  readonly handlerCatalogue: string
  /** Where a person puts own job types, unless the configuration names another directory. */
  readonly handlers: string
  /** The GPU workers, beside the configuration file. */
  readonly gpuWorkers: string
  /** When each of them may be tried again. */
  readonly gpuBreakers: string
  /** What clients show to `nightkiln mcp --http`; read by this user alone. */
  readonly httpTokens: string
  /** State of the GPU worker that this machine serves. */
  readonly gpuWorkerHome: string
  readonly logs: string
  readonly managerLog: string
}

/**
 * @returns the state directory: NIGHTKILN_HOME, or the platform's data directory of the user.
 * @throws QueueError config_invalid when NIGHTKILN_HOME is not absolute
 */
export function stateDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const chosen = environment['NIGHTKILN_HOME']
  if (chosen === undefined || chosen === '') return platformPaths.data
  if (!isAbsolute(chosen)) {
    throw new QueueError('config_invalid', `NIGHTKILN_HOME is "${chosen}", which is not an absolute path`, {
      remedy: `Set NIGHTKILN_HOME to an absolute path such as ${join(homedir(), 'nightkiln')}.`,
    })
  }
  return chosen
}

/** True for the directory that is used when nobody says otherwise. */
export function isDefaultHome(home: string): boolean {
  return home === platformPaths.data
}

/**
 * @returns all paths of a state directory; creates nothing. The default one is configured in the platform's configuration
 * directory, any other in a folder of its own, so that two states never share a configuration by accident.
 */
export function statePaths(home: string): StatePaths {
  const configDirectory = isDefaultHome(home) ? platformPaths.config : join(home, 'config')
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
    commandLine: join(home, 'nightkiln'),
    ballastFile: join(home, 'ballast'),
    attempts: join(home, 'attempts'),
    artifacts: join(home, 'artifacts'),
    sources: join(home, 'sources'),
    results: join(home, 'results'),
    exports: join(home, 'exports'),
    backups: join(home, 'backups'),
    hosts: join(home, 'hosts'),
    handlerCatalogue: join(home, 'handlers.json'),
    handlers: join(configDirectory, 'handlers'),
    gpuWorkers: join(configDirectory, 'gpu-workers.json'),
    gpuBreakers: join(home, 'gpu-breakers.json'),
    httpTokens: join(home, 'http-tokens.json'),
    gpuWorkerHome: join(home, 'worker'),
    logs: join(home, 'logs'),
    managerLog: join(home, 'logs', 'manager.log'),
  }
}

/** @returns the directory of one attempt; the nonce keeps it apart from a restored past (DESIGN §10.2). */
export function attemptDirectory(
  paths: Pick<StatePaths, 'attempts'>,
  fence: { unitId: string; attempt: number; nonce: string },
): string {
  return join(paths.attempts, `${fence.unitId}.${fence.attempt}.${fence.nonce}`)
}

/** @returns where a file that an attempt made lies; never outside the attempt's directory, whatever the name. */
export function artifactFile(
  paths: Pick<StatePaths, 'attempts'>,
  made: { unitId: string; attempt: number; nonce: string; name: string },
): string {
  return join(attemptDirectory(paths, made), 'artifacts', basename(made.name))
}
