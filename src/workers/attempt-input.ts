import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { QueueError } from '../domain/errors.ts'
import type { CommandTask } from '../domain/ports/executor.ts'
import { replaceFile } from './attempt-access.ts'
import { attemptFiles, isThere } from './attempt-files.ts'
import type { ExecutorContext } from './executor-context.ts'
import { type FifoPatience, writeFifo } from './fifo-writer.ts'

export interface AttemptInputOptions {
  readonly context: ExecutorContext
  readonly task: CommandTask
  readonly directory: string
  /** True once the command has ended, or is being ended. */
  readonly isOver: () => boolean
  readonly isFrozen: () => boolean
}

const stallMs = 2_000
/** From the call, with the wait for earlier ones. */
const longestMs = 20_000
const readyPauseMs = 10
const endLine = new TextEncoder().encode('end\n')

/** The stdin of an interactive command: a pipe that its runner holds open (runner.sh). One text after the other. */
export class AttemptInput {
  readonly #options: AttemptInputOptions
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: AttemptInputOptions) {
    this.#options = options
  }

  /**
   * @returns bytes taken: all of the text
   * @throws QueueError invalid_transition, limit_exceeded with `bytes_taken`
   */
  async send(text: string, end: boolean): Promise<number> {
    const { task, context } = this.#options
    if (!task.spec.interactive) {
      throw new QueueError('invalid_transition', `the command of job ${task.jobId} was started without an open stdin`, {
        remedy: 'Submit it with params.interactive: true.',
      })
    }
    const deadline = context.clock.monotonic() + longestMs
    const mine = this.#turn.then(() => this.#send(text, end, deadline))
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  /** An earlier manager may have died between its note that the input ends and the end itself. */
  async resume(): Promise<void> {
    if (this.#options.task.spec.interactive && this.#hasEnded()) await this.#tellEnd(this.#patience(Infinity))
  }

  async #send(text: string, end: boolean, deadline: number): Promise<number> {
    const bytes = new TextEncoder().encode(text)
    const patience = this.#patience(deadline)
    this.#refuseWhenOver()
    if (this.#hasEnded()) {
      if (!end || bytes.length > 0) throw this.#ended('its input has been ended before')
      await this.#tellEnd(patience)
      return 0
    }
    await this.#untilReady(bytes.length, deadline)
    const { taken, kind } = await writeFifo(this.#file(attemptFiles.input), bytes, patience)
    // What was taken whole is told as taken: the command may have read it and ended, and must not be sent it again.
    if (kind !== 'done') this.#refuseWhenOver()
    if (kind === 'closed') throw this.#ended('it does not read its input any more', taken)
    if (kind === 'full') throw this.#full(taken, bytes.length)
    if (end) {
      // Noted first: a manager that dies in between has ended it for the next one, which does it.
      replaceFile(this.#file(attemptFiles.inputEnded), '')
      await this.#tellEnd(patience)
    }
    return taken
  }

  /** The runner has made the pipe, and what `stdin` holds is in it. */
  async #untilReady(bytes: number, deadline: number): Promise<void> {
    const { context } = this.#options
    const until = Math.min(deadline, context.clock.monotonic() + stallMs)
    while (!isThere(this.#options.directory, attemptFiles.inputReady)) {
      if (context.clock.monotonic() >= until) throw this.#full(0, bytes)
      await sleep(readyPauseMs)
      this.#refuseWhenOver()
    }
  }

  /** The process that holds the pipe open waits for a line; nobody there any more: then it has ended already. */
  async #tellEnd(patience: FifoPatience): Promise<void> {
    await writeFifo(this.#file(attemptFiles.inputEnd), endLine, patience)
  }

  #hasEnded(): boolean {
    return isThere(this.#options.directory, attemptFiles.inputEnded)
  }

  #patience(deadline: number): FifoPatience {
    const { context, isOver } = this.#options
    return {
      stallMs,
      deadline,
      monotonic: () => context.clock.monotonic(),
      abandoned: () => isOver() || context.detached(),
    }
  }

  #file(name: string): string {
    return join(this.#options.directory, name)
  }

  #refuseWhenOver(): void {
    if (this.#options.isOver()) throw this.#ended('it has ended or is being stopped')
    if (this.#options.context.detached()) {
      throw new QueueError('manager_unavailable', 'the manager is stopping; the next one goes on with the command', {
        remedy: 'Call again.',
      })
    }
  }

  #ended(why: string, taken = 0): QueueError {
    return new QueueError(
      'invalid_transition',
      `the command of job ${this.#options.task.jobId} takes no input: ${why}`,
      {
        remedy: 'Look at it with job_status and job_logs.',
        details: { bytes_taken: taken },
      },
    )
  }

  #full(taken: number, bytes: number): QueueError {
    const { task, isFrozen } = this.#options
    const why = isFrozen() ? 'is frozen' : 'does not read its input now'
    const message = `the command of job ${task.jobId} ${why}: ${taken} of ${bytes} bytes were taken`
    const remedy = isFrozen()
      ? 'Resume the job, then send the rest.'
      : 'Look with job_logs whether it waits for input; send the rest when it reads.'
    return new QueueError('limit_exceeded', message, { remedy, details: { bytes_taken: taken, bytes } })
  }
}
