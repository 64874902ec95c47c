import type { Command } from 'commander'
import { QueueError } from '../domain/errors.ts'
import {
  badOption,
  integerOption,
  jsonOrText,
  numberOption,
  rateOption,
  repeated,
  secondsOption,
} from './option-values.ts'

/** Options that say how the units of a job go through; the same for submit and rerun. */
export interface FlowOptions {
  readonly unitKey?: string
  readonly concurrency?: string
  readonly perKey?: string
  readonly perKeyConcurrency?: string
  readonly perKeyRate?: string
  readonly testFirst?: string
  readonly maxFailed?: string
  /** Undefined when neither --stop-early nor --no-stop-early was given. */
  readonly stopEarly?: boolean
  readonly final?: string
  readonly finalParams?: string
  readonly keepOpen?: boolean
  readonly dependsOn?: readonly string[]
  readonly totalTimeout?: string
}

/** Adds the options of FlowOptions to a command. */
export function addFlowOptions(command: Command): Command {
  return command
    .option('--unit-key <template>', 'units with the same key are added once; such as {{unit.url}}')
    .option('--concurrency <number>', 'units of the job at once')
    .option('--per-key <template>', 'units that share a key share limits; such as {{unit.host}}')
    .option('--per-key-concurrency <number>', 'with --per-key: units with the same key at once')
    .option('--per-key-rate <number/length>', 'with --per-key: starts with the same key, such as 10/60s')
    .option('--test-first <number>', 'run so many units, then wait for nightkiln approve or reject')
    .option('--max-failed <number>', 'so many units may fail, such as 5 or 2%; the job still completes')
    .option('--stop-early', 'cancel the rest once too many units failed (default with --max-failed)')
    .option('--no-stop-early', 'run all units, however many fail')
    .option('--final <script>', 'shell script that runs when all units ended; $NIGHTKILN_RESULTS names their results')
    .option('--final-params <json>', 'the same as parameters of the job type')
    .option('--keep-open', 'units may be added (nightkiln add-units) until it is closed')
    .option(
      '--depends-on <id[:name[:ended]]>',
      'wait for this job; its result is {{name.result}}; "ended": whatever its end; repeatable',
      repeated,
    )
    .option('--total-timeout <length>', 'longest time of the whole job, pauses excluded')
}

/** @returns what the options say about the flow, by the names of the wire; only what was given. */
export function flowOf(options: FlowOptions): Readonly<Record<string, unknown>> {
  return {
    ...(options.unitKey === undefined ? {} : { unit_key: options.unitKey }),
    ...(options.concurrency === undefined
      ? {}
      : { concurrency: integerOption('--concurrency', options.concurrency, 1) }),
    ...perKeyOf(options),
    ...(options.testFirst === undefined ? {} : { test_first: integerOption('--test-first', options.testFirst, 1) }),
    ...(options.maxFailed === undefined ? {} : maxFailedOption(options.maxFailed)),
    ...(options.stopEarly === undefined ? {} : { stop_early: options.stopEarly }),
    ...finalStepOf(options),
    ...(options.keepOpen === true ? { keep_open: true } : {}),
    ...(options.dependsOn === undefined ? {} : { depends_on: options.dependsOn.map(dependencyOption) }),
    ...(options.totalTimeout === undefined
      ? {}
      : { total_timeout_s: secondsOption('--total-timeout', options.totalTimeout) }),
  }
}

function perKeyOf(options: FlowOptions): Readonly<Record<string, unknown>> {
  const limits = {
    ...(options.perKeyConcurrency === undefined
      ? {}
      : { concurrency: integerOption('--per-key-concurrency', options.perKeyConcurrency, 1) }),
    ...(options.perKeyRate === undefined ? {} : { rate_limit: rateOption('--per-key-rate', options.perKeyRate) }),
  }
  if (options.perKey !== undefined) return { per_key: { key: options.perKey, ...limits } }
  if (Object.keys(limits).length === 0) return {}
  throw new QueueError('invalid_input', 'a limit per key was given without --per-key', {
    remedy: 'Say what the key is: --per-key {{unit.host}}.',
  })
}

function maxFailedOption(text: string): Readonly<Record<string, number>> {
  return text.trim().endsWith('%')
    ? { max_failed_percent: numberOption('--max-failed', text.trim().slice(0, -1)) }
    : { max_failed_units: integerOption('--max-failed', text) }
}

function finalStepOf(options: FlowOptions): Readonly<Record<string, unknown>> {
  if (options.final !== undefined && options.finalParams !== undefined) {
    throw new QueueError('invalid_input', '--final and --final-params were given together', {
      remedy: 'Give one of them.',
    })
  }
  if (options.final !== undefined) return { final_step: { params: { shell: true, script: options.final } } }
  if (options.finalParams === undefined) return {}
  const params = jsonOrText(options.finalParams)
  if (typeof params === 'object' && params !== null && !Array.isArray(params)) return { final_step: { params } }
  throw badOption('--final-params', options.finalParams, 'a JSON object such as {"argv":["./report"]}')
}

/** One --depends-on as the wire wants it; the id is taken as it is. */
export function dependencyOption(text: string): Readonly<Record<string, string>> {
  const [id = '', alias = '', condition = '', ...rest] = text.split(':')
  if (id === '' || rest.length > 0 || !['', 'ended', 'completed'].includes(condition))
    throw badOption('--depends-on', text, 'ID, ID:NAME or ID:NAME:ended')
  return { id, ...(alias === '' ? {} : { as: alias }), ...(condition === '' ? {} : { condition }) }
}
