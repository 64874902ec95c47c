import { cutText } from '../../domain/cut-text.ts'
import { harmlessJson, harmlessText } from '../../domain/display-text.ts'
import { errorExtract } from '../../domain/error-extract.ts'
import type { ErrorRecord } from '../../domain/errors.ts'
import { formatDuration } from '../../domain/format-duration.ts'
import type { Attempt, Json, Unit } from '../../domain/job.ts'
import type { ErrorView } from '../../domain/wire/shared.ts'
import type { UnitView } from '../../domain/wire/units.ts'
import { resultOf } from '../runtime/dependency-values.ts'
import { boundedJson } from './bounded-json.ts'
import { attemptView, errorView, progressView } from './job-view.ts'
import type { ServiceContext } from './service-context.ts'

const inputLength = 300
const resultBytes = 500
const messageLength = 300
const tailLength = 400
const keyLength = 200
const attemptsShown = 5

/** @returns a unit as people and models see it; input, result and error are cut. */
export function unitView(context: ServiceContext, unit: Unit, detail: 'concise' | 'full'): UnitView {
  const { store, clock } = context
  const payload = store.readUnitPayload(unit.id)
  const attempts = unit.attempt === 0 ? [] : store.readAttempts(unit.id)
  const last = attempts.at(-1)
  const output = unit.state === 'completed' ? (payload?.output ?? null) : null
  return {
    unit: unit.position,
    final_step: unit.finalStep,
    state: unit.state,
    why: cutText(harmlessText(whyOf(unit, last, clock.now())), messageLength),
    progress: unit.state === 'running' ? progressView(context.supervisor.progressOf(unit.id) ?? unit.progress) : null,
    key: unit.key === null ? null : harmlessText(cutText(unit.key, keyLength)),
    untrusted_input: harmlessText(cutText(textOf(payload?.input ?? null), inputLength)),
    attempts: unit.attempt,
    failures: unit.failures,
    mode: last?.mode ?? null,
    ...(last?.device == null ? {} : { device: harmlessText(last.device) }),
    exit_code: last?.exitCode ?? null,
    duration_s: last === undefined ? null : Math.max(0, ((last.finishedAt ?? clock.now()) - last.startedAt) / 1000),
    error: unit.state === 'completed' ? null : shortError(last?.error ?? null),
    ...(output === null ? {} : { result: harmlessJson(boundedJson(resultOf(output), resultBytes).value) }),
    ...(detail === 'full'
      ? { attempt_history: attempts.slice(-attemptsShown).map((one) => historyOf(unit, one)) }
      : {}),
  }
}

function historyOf(unit: Unit, attempt: Attempt) {
  const view = attemptView(unit.position, attempt)
  const reason = view.fallback_reason
  return {
    ...view,
    fallback_reason: reason === null ? null : cutText(reason, messageLength),
    error: shortError(attempt.error),
  }
}

function textOf(input: Json): string {
  return typeof input === 'string' ? input : JSON.stringify(input)
}

function shortError(error: ErrorRecord | null): ErrorView | null {
  const view = errorView(error)
  if (view === null) return null
  const { untrusted_output_tail: tail, ...rest } = view
  return {
    ...rest,
    message: cutText(view.message, messageLength),
    ...(tail === undefined ? {} : { untrusted_output_tail: errorExtract(tail, tailLength) }),
  }
}

function whyOf(unit: Unit, last: Attempt | undefined, now: number): string {
  switch (unit.state) {
    case 'available':
      return waitingReason(unit, last, now)
    case 'running':
      return unit.attempt === 1 ? 'runs' : `attempt ${unit.attempt} runs`
    case 'completed':
      return unit.attempt > 1 ? `completed at attempt ${unit.attempt}` : 'completed'
    case 'failed':
      return last?.error?.message ?? 'failed'
    case 'cancelled':
      return last === undefined ? 'cancelled before it ran' : 'cancelled'
  }
}

function waitingReason(unit: Unit & { readonly state: 'available' }, last: Attempt | undefined, now: number): string {
  const waits = unit.availableAt > now ? ` in ${formatDuration(unit.availableAt - now)}` : ''
  if (last === undefined) return waits === '' ? 'waits for its turn' : `starts${waits}`
  const after = last.error === null ? '' : ` after: ${last.error.message}`
  return `runs again${waits === '' ? ' when it is its turn' : waits}${after}`
}
