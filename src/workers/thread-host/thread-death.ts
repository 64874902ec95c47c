import { type Failure, failure, messageOf, type Unloadable, unloadable } from './failure.ts'
import type { HostAttempt } from './host-attempt.ts'
import type { PoolThread, ThreadDeath } from './pool-thread.ts'

export interface Blame {
  /** Whose thread it was; undefined: nobody's. */
  readonly attempt: HostAttempt | undefined
  /** How it failed, or why it was not its fault. */
  readonly failure:
    | Failure
    | Unloadable
    | { readonly kind: 'released'; readonly message: string; readonly backOff: boolean }
}

/** @returns the attempt that a thread died with */
export function blameFor(thread: PoolThread, death: ThreadDeath): Blame {
  const running = thread.handed.get(thread.control.current())
  const [first] = thread.handed.values()
  if (death.kind === 'exit' && death.seq !== null && running !== undefined && death.seq !== running.seq)
    return { attempt: running, failure: { kind: 'released', message: leftBehind, backOff: false } }
  if (death.kind === 'terminated' && thread.isSpoiled && running !== undefined)
    return { attempt: running, failure: { kind: 'released', message: spoiled, backOff: false } }
  const attempt = running ?? (death.kind === 'terminated' ? undefined : first)
  if (death.kind !== 'terminated' && thread.control.bootedAt() === 0) {
    const reason = death.kind === 'error' ? messageOf(death.error) : 'it ended at once'
    return { attempt, failure: { kind: 'released', message: `no thread could be started: ${reason}`, backOff: true } }
  }
  return { attempt, failure: failureOf(thread, death) }
}

const spoiled = 'an earlier attempt in the same thread changed built-in objects'
const leftBehind = 'what an earlier attempt left running in the same thread ended it'

function failureOf(thread: PoolThread, death: ThreadDeath): Failure | Unloadable {
  const file = thread.code?.file ?? 'its module'
  switch (death.kind) {
    case 'heap':
      return failure(
        'out_of_memory',
        `the handler needed more than ${thread.heapMegabytes} MB of JavaScript heap`,
        'policy',
      )
    case 'exit':
      if (!thread.isLoaded) return unloadable(`${file} called process.exit(${death.code}) while it was loaded`)
      return failure('handler_failed', `the handler called process.exit(${death.code})`, 'policy')
    case 'error':
      return failure(
        'handler_failed',
        `an error that nobody caught ended its thread: ${messageOf(death.error)}`,
        'policy',
      )
    case 'terminated':
      return failure('internal', 'its thread was ended', 'policy')
  }
}
