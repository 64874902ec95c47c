import { messageOf } from '../failure.ts'
import { writeHostLog } from './redirect-output.ts'
import type { ThreadState } from './thread-state.ts'
import { logTextOf } from './thrown.ts'

/**
 * Catches what nobody caught. While its attempt runs, that fails; afterwards it is written to that attempt's log, and the thread
 * is not used again. Also tells of a handler that ends its thread by process.exit.
 */
export function watchUncaught(thread: ThreadState): void {
  const handle = (thrown: unknown, how: string): void => {
    const attempt = thread.owner()
    if (attempt !== null && !attempt.hasEnded) {
      attempt.uncaught(thrown, how)
      return
    }
    const text = `nightkiln: ${how}, after the attempt had ended: ${logTextOf(thrown)}\n`
    if (attempt === null) writeHostLog(text)
    else attempt.lateOutput(text)
    thread.post({ kind: 'worn', reason: `${how}: ${messageOf(thrown)}` })
  }
  process.on('uncaughtException', (error, origin) =>
    handle(error, origin === 'unhandledRejection' ? rejection : 'an error that nobody caught'),
  )
  process.on('unhandledRejection', (reason) => handle(reason, rejection))

  const exit = process.exit.bind(process)
  process.exit = (code) => {
    const seq = thread.owner()?.item.seq ?? 0
    // What has ended before must not be lost with the thread.
    thread.tellEnds?.()
    thread.post({ kind: 'exit', seq, code: String(code ?? process.exitCode ?? 0) })
    return exit(code)
  }
}

const rejection = 'a promise was rejected and nobody waited for it'
