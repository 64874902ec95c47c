import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessIdentity } from '../../platform/process-identity.ts'
import { isLiving } from '../process-table.ts'
import type { HostContext } from './host-context.ts'
import { killHost } from './kill-host.ts'

/** Waited for the system to say how a process of this manager ended. */
const exitMs = 1_000

/** The process of a host: whether it lives, how it ended, its end by force. */
export class HostProcess {
  readonly identity: ProcessIdentity
  /** Why it was ended though its attempts did nothing wrong; null: it was not. */
  endedFor: string | null = null
  readonly #context: HostContext
  #child: ChildProcess | null = null
  #exit: Promise<void> | null = null
  #how = 'vanished'
  #killedBecause: string | null = null

  constructor(context: HostContext, identity: ProcessIdentity) {
    this.#context = context
    this.identity = identity
  }

  /** How it ended, for people. */
  get how(): string {
    return this.#killedBecause === null ? this.#how : `was ended: ${this.#killedBecause}`
  }

  get isKilled(): boolean {
    return this.#killedBecause !== null
  }

  /** It was started here: the system tells its end. */
  watchChild(child: ChildProcess, onExit: () => void): void {
    this.#child = child
    this.#exit = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`
        resolve()
        onExit()
      })
    })
  }

  /** @returns null when it cannot be told now */
  lives(): boolean | null {
    try {
      return isLiving(this.#context.table, this.identity)
    } catch {
      return null
    }
  }

  /** After its end, until the system has said how it ended, if it will. */
  async told(): Promise<void> {
    if (this.#exit !== null) await Promise.race([this.#exit, sleep(exitMs)])
  }

  /** Ends it at once, without waiting; only what was started here. */
  drop(): void {
    this.#child?.kill('SIGKILL')
  }

  /**
   * Ends it by force and waits until it is gone.
   * @returns false when it is not this manager's to end, or is being ended already
   */
  async kill(why: string, endedFor: string | null): Promise<boolean> {
    if (this.isKilled || this.#context.detached() || this.#context.isSuperseded()) return false
    this.#killedBecause = why
    this.endedFor = endedFor
    await killHost(this.#context, this.identity)
    return true
  }
}
