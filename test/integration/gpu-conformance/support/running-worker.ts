import type { CheckReport } from '../../../../src/gpu-client/conformance/check.ts'
import { type ConformanceResult, runConformance } from '../../../../src/gpu-client/conformance/main.ts'

export interface RunningWorker {
  readonly url: URL
  readonly key: string
  readonly keyFile: string
  kill(signal?: NodeJS.Signals): Promise<void>
}

export interface SuiteOptions {
  readonly only?: readonly string[]
  readonly patienceMs?: number
}

/** Runs the suite against a worker with the built-in `sleep`. */
export function runSuite(
  { url, key }: Pick<RunningWorker, 'url' | 'key'>,
  options: SuiteOptions = {},
): Promise<ConformanceResult> {
  return runConformance({ url, key, ca: null, type: 'sleep', signal: new AbortController().signal, ...options })
}

/** @returns the checks that are not ok, in words that tell why. */
export function notOk(checks: readonly CheckReport[]): readonly string[] {
  return checks
    .filter((check) => check.status !== 'ok')
    .map((check) => `${check.name} ${check.status}: expected ${check.expected}; came ${check.got}`)
}
