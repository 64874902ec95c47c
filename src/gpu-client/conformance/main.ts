import { resolve } from 'node:path'
import { QueueError } from '../../domain/errors.ts'
import { readKey, systemKeySources } from '../keys.ts'
import { WorkerFault } from '../worker-client.ts'
import { readCaFile } from '../worker-entry.ts'
import { parseWorkerUrl } from '../worker-url.ts'
import { allChecks, notChecked } from './all-checks.ts'
import { type Check, type CheckReport, Mismatch, NotApplicable } from './check.ts'
import { createHttpTarget, NoAnswer } from './http-target.ts'
import { Probe } from './probe.ts'

export interface ConformanceOptions {
  /** Its path is put before those of the protocol. */
  readonly url: URL
  /** Null: the worker asks for none. */
  readonly key: string | null
  /** Certificate that the worker must show, or that signed it (PEM). */
  readonly ca: string | null
  /** A job type with the parameters, progress and checkpoints of the built-in `sleep`. */
  readonly type: string
  /** Ends the suite after the check that runs. */
  readonly signal: AbortSignal
  /** Names, or beginnings of names such as "lease/"; left out: all. */
  readonly only?: readonly string[]
  /** Longest wait for what should come within a second or two; default 20 s. */
  readonly patienceMs?: number
  /** Called after each check. */
  readonly onReport?: (report: CheckReport) => void
}

export interface ConformanceResult {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly checks: readonly CheckReport[]
  readonly notChecked: readonly string[]
}

/**
 * Runs the checks of the worker protocol against a URL, one after the other; needs about a minute and one slot. What the
 * checks make is cancelled and deleted; small files stay until the worker drops them.
 */
export async function runConformance(options: ConformanceOptions): Promise<ConformanceResult> {
  const target = createHttpTarget(options)
  const probe = new Probe(target, options)
  const reports: CheckReport[] = []
  for (const check of allChecks) {
    if (options.only !== undefined && !options.only.some((name) => check.name.startsWith(name))) continue
    if (options.signal.aborted) break
    const report = await judge(check, probe)
    reports.push(report)
    options.onReport?.(report)
    await probe.leave()
  }
  const count = (status: CheckReport['status']): number => reports.filter((report) => report.status === status).length
  return { passed: count('ok'), failed: count('failed'), skipped: count('skipped'), checks: reports, notChecked }
}

export interface ConformanceCall {
  readonly url: string
  readonly keyFile?: string
  readonly caFile?: string
  readonly type: string
  /** Beginnings of names. */
  readonly only?: readonly string[]
  /** For relative names of files. */
  readonly cwd: string
  readonly signal: AbortSignal
  readonly onReport: (report: CheckReport) => void
}

/**
 * The suite as the command line calls it.
 * @throws QueueError invalid_input for a URL, key or certificate that cannot be used; gpu_unavailable when nobody answers
 */
export async function checkWorker(call: ConformanceCall): Promise<ConformanceResult> {
  const { origin, basePath, plain } = parseWorkerUrl(call.url)
  if (plain && call.caFile !== undefined) {
    throw new QueueError('invalid_input', '--ca-file is for https:// only, and the URL begins with http://')
  }
  const unknown = call.only?.find((name) => !allChecks.some((check) => check.name.startsWith(name)))
  if (unknown !== undefined) {
    const groups = [...new Set(allChecks.map(({ name }) => `${name.split('/')[0]}/`))]
    throw new QueueError('invalid_input', `no check begins with "${unknown}"; there are ${groups.join(', ')}`)
  }
  try {
    const key = call.keyFile === undefined ? undefined : { file: resolve(call.cwd, call.keyFile) }
    const options = {
      url: new URL(basePath, origin),
      key: await readKey(key, systemKeySources),
      ca: call.caFile === undefined ? null : readCaFile(resolve(call.cwd, call.caFile)),
      type: call.type,
      signal: call.signal,
      onReport: call.onReport,
      ...(call.only === undefined ? {} : { only: call.only }),
    }
    // Seventy times "connection refused" or "wrong key" would tell nothing.
    const { status } = await createHttpTarget(options)({ method: 'GET', path: '/health-check' })
    if (status === 401 || status === 403) {
      throw new QueueError(
        'invalid_input',
        `the worker at ${origin} refuses ${options.key === null ? 'requests without a key' : 'this key'} (HTTP ${status})`,
        { remedy: 'Name the file with the key that it was started with: --key-file FILE.' },
      )
    }
    return await runConformance(options)
  } catch (error) {
    if (error instanceof WorkerFault) throw new QueueError('invalid_input', error.message)
    if (error instanceof NoAnswer && !call.signal.aborted) {
      throw new QueueError('gpu_unavailable', `nobody answers at ${origin}: ${error.message}`, {
        remedy: 'Look whether the worker runs, and at its address, port and certificate (--ca-file).',
      })
    }
    throw error
  }
}

async function judge(check: Check, probe: Probe): Promise<CheckReport> {
  const began = performance.now()
  const report = (status: CheckReport['status'], expected: string | null, got: string | null): CheckReport => ({
    name: check.name,
    title: check.title,
    why: check.why,
    status,
    expected,
    got,
    milliseconds: Math.round(performance.now() - began),
  })
  try {
    await check.run(probe)
    return report('ok', null, null)
  } catch (error) {
    if (error instanceof Mismatch) return report('failed', error.expected, error.got)
    if (error instanceof NotApplicable) return report('skipped', null, error.message)
    if (error instanceof NoAnswer) return report('failed', 'an answer', error.message)
    throw error
  }
}
