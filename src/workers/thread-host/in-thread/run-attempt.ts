import { failure, unloadable } from '../failure.ts'
import { endFlags } from '../thread-messages.ts'
import type { AttemptRun } from './attempt-run.ts'
import { checkInput } from './checked-input.ts'
import { checkResult } from './checked-result.ts'
import { createContext } from './handler-context.ts'
import { writeJson } from './intrinsics.ts'
import type { ThreadState } from './thread-state.ts'
import { logTextOf, type Outcome, outcomeOfThrown } from './thrown.ts'

/** How an attempt ended, as the main thread is told. */
export interface RunEnd {
  /** An EndedAttempt, as JSON. */
  readonly text: string
  readonly flags: number
}

/** A completed attempt's result is JSON already. */
type Ending = { readonly outcome: Outcome } | { readonly resultText: string }

/** Runs the handler of a thread for one attempt, from its input to its checked result. Never throws. */
export async function runAttempt(thread: ThreadState, attempt: AttemptRun): Promise<RunEnd> {
  let flags = 0
  const ending = await new Promise<Ending>((resolve) => {
    attempt.onUncaught((thrown, how) => {
      flags |= endFlags.fatal
      resolve(endThrown(thread, attempt, thrown, how))
    })
    void thread.within(attempt, () => work(thread, attempt)).then(resolve)
  })
  if (thread.control.isCancelled(attempt.item.seq)) flags |= endFlags.afterStop
  try {
    return { text: endText(thread, attempt, ending), flags }
  } catch {
    // The main thread sees that this is no end.
    return { text: '', flags: flags | endFlags.fatal }
  }
}

async function work(thread: ThreadState, attempt: AttemptRun): Promise<Ending> {
  // Stopped before it could begin.
  if (thread.control.isCancelled(attempt.item.seq)) return { outcome: stoppedAnyway }
  try {
    const handler = thread.loaded ?? (await thread.handler)
    if (handler?.definition == null) return { outcome: unloadable(handler?.problem ?? 'nothing was loaded') }
    const { definition } = handler
    const input = await checkInput(definition, attempt)
    if ('kind' in input) return { outcome: input }
    const returned: unknown = await definition.run(createContext(thread, attempt, input) as never)
    // It was told to stop: what it returned may be half of it.
    if (thread.control.isCancelled(attempt.item.seq)) return { outcome: stoppedAnyway }
    const checked = await checkResult(definition, attempt, returned)
    if ('kind' in checked) return { outcome: checked }
    await attempt.keptArtifacts?.finish()
    return { resultText: checked.text }
  } catch (error) {
    return endThrown(thread, attempt, error, null)
  }
}

/** Never told: the main thread knows why it was stopped. */
const stoppedAnyway = failure('internal', 'the attempt was stopped', 'policy')

function endThrown(thread: ThreadState, attempt: AttemptRun, thrown: unknown, how: string | null): Ending {
  if (thread.control.isCancelled(attempt.item.seq)) return { outcome: stoppedAnyway }
  const outcome = outcomeOfThrown(thrown, attempt.job.wire.handler.file, how)
  if (outcome.kind === 'failed' && outcome.error.code === 'handler_failed' && typeof outcome.retry === 'string')
    attempt.output.write(Buffer.from(`nightkiln: the handler failed: ${logTextOf(thrown)}\n`))
  return { outcome }
}

function endText(thread: ThreadState, attempt: AttemptRun, ending: Ending): string {
  const elapsedMs = attempt.elapsedMs()
  const output = attempt.end(thread.code?.reusable !== true)
  const key = writeJson(attempt.item.key)
  if ('outcome' in ending && ending.outcome.kind === 'released')
    return `{"key":${key},"end":${writeJson({ ...ending.outcome, elapsedMs })}}`
  if ('outcome' in ending) return `{"key":${key},"end":${writeJson({ ...ending.outcome, elapsedMs, output })}}`
  const artifacts = writeJson(attempt.keptArtifacts?.kept ?? [])
  const rest = `"artifacts":${artifacts},"elapsedMs":${elapsedMs},"output":${writeJson(output)}`
  return `{"key":${key},"end":{"kind":"completed","result":${ending.resultText},${rest}}}`
}
