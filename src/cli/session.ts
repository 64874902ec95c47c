import { uuidv7 } from 'uuidv7'
import { createManagerClient, type ManagerClient } from '../client/manager-client.ts'
import { captureSubmitContext } from '../client/submit-context.ts'
import { type StatePaths, stateDirectory, statePaths } from '../config/paths.ts'
import { version } from '../config/version.ts'
import type { SubmitContext } from '../domain/wire/submit.ts'
import type { Terminal } from './display/terminal.ts'

/** What a command may use of the world; tests give their own. */
export interface CliEnvironment {
  readonly environment: NodeJS.ProcessEnv
  readonly cwd: string
  readonly stdin: AsyncIterable<Buffer | string> & { readonly isTTY?: boolean }
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly randomId: () => string
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal
}

/** One run of one command: where it writes and whom it asks. */
export interface Session extends CliEnvironment {
  readonly terminal: Terminal
  readonly json: boolean
  /** @throws QueueError config_invalid when NIGHTKILN_HOME is unusable */
  home(): string
  paths(): StatePaths
  /** The client of the manager, made at first use; starts a manager when a call needs one. */
  client(): ManagerClient
  /** A client that never starts a manager: its calls throw manager_unavailable when none runs. */
  visitor(): ManagerClient
  submitContext(): SubmitContext
  close(): Promise<void>
}

const submittedBy = 'cli'

/** @returns a session; nothing is opened before it is used. */
export function createSession(cli: CliEnvironment, terminal: Terminal, json: boolean): Session {
  const open = new Map<boolean, ManagerClient>()
  const home = () => stateDirectory(cli.environment)
  const clientOf = (launch: boolean): ManagerClient => {
    const known = open.get(launch)
    if (known !== undefined) return known
    const made = createManagerClient({ home: home(), submittedBy, version, launch })
    open.set(launch, made)
    return made
  }
  return {
    ...cli,
    terminal,
    json,
    home,
    paths: () => statePaths(home()),
    client: () => clientOf(true),
    visitor: () => clientOf(false),
    submitContext: () => captureSubmitContext({ submittedBy, environment: cli.environment, cwd: cli.cwd }),
    close: async () => {
      await Promise.allSettled([...open.values()].map((client) => client.close()))
    },
  }
}

/** @returns the world of the running process. */
export function processEnvironment(interrupted: AbortSignal): CliEnvironment {
  return {
    environment: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    now: Date.now,
    randomId: uuidv7,
    interrupted,
  }
}
