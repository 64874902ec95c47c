import fc from 'fast-check'
import type { FailureBudget } from '../../src/domain/job.ts'
import type { CancelReason, DependencyCondition } from '../../src/domain/states.ts'
import type { GpuPreference } from '../../src/domain/wire/gpu.ts'

/** Which fence an operation carries: of a unit held now, or of any attempt there ever was, whole or wrong in one part. */
export interface FenceChoice {
  readonly pick: number
  readonly from: 'held' | 'ever'
  readonly wrong: 'nothing' | 'attempt' | 'nonce' | 'worker'
}

export type Key = 'a' | 'b' | null
export type UpdateKind = 'run_at' | 'priority' | 'concurrency' | 'labels' | 'depends_on' | 'close'

/** What only some jobs have. */
export interface SubmitExtras {
  readonly limitKeys: readonly Key[]
  readonly queue: 'default' | 'night'
  /** Picks of earlier jobs. */
  readonly dependsOn: readonly { readonly pick: number; readonly condition: DependencyCondition }[]
  readonly budget: FailureBudget
  readonly hasFinalStep: boolean
  readonly sourceItems: number | null
  readonly keepOpen: boolean
  readonly testUnits: number | null
  readonly gpu: GpuPreference
}

/** One step of a random history. Numbers pick among what exists then. */
export type Operation =
  | {
      readonly kind: 'submit'
      readonly units: number
      readonly maxAttempts: number
      readonly concurrency: number | null
      readonly delayMs: number
      readonly word: string
      readonly extras: SubmitExtras
    }
  | { readonly kind: 'resubmit'; readonly job: number; readonly sameContent: boolean }
  | {
      readonly kind: 'claim'
      readonly job: number
      readonly worker: number
      readonly limit: number
      readonly key: Key
      readonly forGpu: boolean
    }
  /** `asBatch`: by the statements for many units. */
  | { readonly kind: 'complete'; readonly fence: FenceChoice; readonly asBatch: boolean }
  | {
      readonly kind: 'fail'
      readonly fence: FenceChoice
      readonly timedOut: boolean
      readonly retryInMs: number | null
    }
  | { readonly kind: 'lose'; readonly fence: FenceChoice; readonly mayRerun: boolean; readonly crash: boolean }
  | { readonly kind: 'release'; readonly fence: FenceChoice }
  | { readonly kind: 'defer'; readonly fence: FenceChoice; readonly inMs: number }
  | { readonly kind: 'confirm_cancel'; readonly fence: FenceChoice }
  | { readonly kind: 'adopt'; readonly fence: FenceChoice; readonly worker: number }
  | { readonly kind: 'record_runner'; readonly fence: FenceChoice }
  | { readonly kind: 'record_progress'; readonly fence: FenceChoice; readonly current: number }
  | { readonly kind: 'record_checkpoint'; readonly fence: FenceChoice; readonly at: number }
  | { readonly kind: 'return'; readonly fence: FenceChoice; readonly to: 'gpu' | 'local'; readonly restarted: boolean }
  | { readonly kind: 'record_remote'; readonly fence: FenceChoice }
  | { readonly kind: 'record_device'; readonly fence: FenceChoice; readonly mode: string | null }
  | { readonly kind: 'place_here'; readonly job: number; readonly limit: number; readonly isFallback: boolean }
  | { readonly kind: 'gpu_wait'; readonly job: number; readonly waits: boolean }
  | { readonly kind: 'record_artifacts'; readonly fence: FenceChoice; readonly names: readonly string[] }
  | { readonly kind: 'cancel'; readonly job: number; readonly reason: CancelReason }
  | { readonly kind: 'pause'; readonly job: number; readonly freeze: boolean }
  | { readonly kind: 'resume'; readonly job: number }
  | { readonly kind: 'decide'; readonly job: number; readonly decision: 'approved' | 'rejected' }
  | { readonly kind: 'update'; readonly job: number; readonly what: UpdateKind; readonly number: number }
  | { readonly kind: 'append'; readonly job: number; readonly items: number }
  | {
      readonly kind: 'insert'
      readonly source: number
      readonly units: readonly { readonly key: string | null; readonly limitKey: Key }[]
      readonly done: boolean
    }
  | { readonly kind: 'update_queue'; readonly paused: boolean }
  | { readonly kind: 'take_consequences' }
  | { readonly kind: 'heartbeat'; readonly worker: number }
  | { readonly kind: 'stop_worker'; readonly worker: number }
  | { readonly kind: 'register_worker'; readonly worker: number }
  | { readonly kind: 'acknowledge'; readonly event: number }
  | { readonly kind: 'show'; readonly event: number }
  | { readonly kind: 'prune_events'; readonly keep: number }
  | { readonly kind: 'search'; readonly word: string; readonly beforeSeq: number | null }
  | { readonly kind: 'advance'; readonly ms: number }
  /** Several operations in one transaction; undone as a whole when `fails`. */
  | { readonly kind: 'group'; readonly steps: readonly Operation[]; readonly fails: boolean }

const words = ['kiln', 'night', 'glaze', 'kilns'] as const
const number = fc.nat({ max: 1_000 })
const fence: fc.Arbitrary<FenceChoice> = fc.record({
  pick: number,
  from: fc.constantFrom<FenceChoice['from']>('held', 'held', 'held', 'ever'),
  wrong: fc.constantFrom<FenceChoice['wrong']>(
    'nothing',
    'nothing',
    'nothing',
    'nothing',
    'attempt',
    'nonce',
    'worker',
  ),
})
const reason = fc.constantFrom<CancelReason>(
  'user',
  'user',
  'unit_failed',
  'deadline',
  'dependency',
  'rejected',
  'overlap',
)

const limitKey = fc.constantFrom<Key>(null, null, null, 'a', 'b')
const none: SubmitExtras = {
  limitKeys: [null],
  queue: 'default',
  dependsOn: [],
  budget: { units: null, percent: null, stopEarly: false },
  hasFinalStep: false,
  sourceItems: null,
  keepOpen: false,
  testUnits: null,
  gpu: 'never',
}
/** Plain jobs, jobs with one thing more, and jobs with everything. */
const extras: fc.Arbitrary<SubmitExtras> = fc
  .record({
    limitKeys: fc.array(limitKey, { minLength: 1, maxLength: 3 }),
    queue: fc.constantFrom<SubmitExtras['queue']>('default', 'default', 'night'),
    dependsOn: fc.array(
      fc.record({ pick: number, condition: fc.constantFrom<DependencyCondition>('completed', 'ended') }),
      { minLength: 1, maxLength: 2 },
    ),
    budget: fc.record({
      units: fc.constantFrom(null, 0, 1, 2),
      percent: fc.constantFrom(null, null, 25, 50),
      stopEarly: fc.boolean(),
    }),
    hasFinalStep: fc.constant(true),
    sourceItems: fc.integer({ min: 1, max: 5 }),
    keepOpen: fc.constant(true),
    testUnits: fc.integer({ min: 1, max: 3 }),
    gpu: fc.constantFrom<GpuPreference>('prefer', 'require'),
    chosen: fc.subarray(Object.keys(none) as (keyof SubmitExtras)[]),
  })
  .map(({ chosen, ...all }) => Object.assign({ ...none }, ...chosen.map((name) => ({ [name]: all[name] }))))

function step<Kind extends Operation['kind']>(
  weight: number,
  kind: Kind,
  fields: {
    [Field in Exclude<keyof Extract<Operation, { kind: Kind }>, 'kind'>]: fc.Arbitrary<
      Extract<Operation, { kind: Kind }>[Field]
    >
  },
): { weight: number; arbitrary: fc.Arbitrary<Operation> } {
  const arbitrary = fc.record({ kind: fc.constant(kind), ...fields }) as unknown as fc.Arbitrary<Operation>
  return { weight, arbitrary }
}

const single = [
  step(12, 'submit', {
    units: fc.integer({ min: 1, max: 4 }),
    maxAttempts: fc.integer({ min: 1, max: 3 }),
    concurrency: fc.constantFrom(null, null, 1, 2),
    delayMs: fc.constantFrom(0, 0, 0, 500),
    word: fc.constantFrom(...words),
    extras,
  }),
  step(3, 'resubmit', { job: number, sameContent: fc.boolean() }),
  step(28, 'claim', {
    job: number,
    worker: number,
    limit: fc.constantFrom(1, 1, 2, 9),
    key: limitKey,
    forGpu: fc.constantFrom(false, false, true),
  }),
  step(10, 'complete', { fence, asBatch: fc.boolean() }),
  step(12, 'fail', { fence, timedOut: fc.boolean(), retryInMs: fc.constantFrom(null, 0, 0, 200) }),
  step(6, 'lose', { fence, mayRerun: fc.constantFrom(true, true, false), crash: fc.boolean() }),
  step(5, 'release', { fence }),
  step(4, 'defer', { fence, inMs: fc.constantFrom(0, 200) }),
  step(5, 'confirm_cancel', { fence }),
  step(3, 'adopt', { fence, worker: number }),
  step(2, 'record_runner', { fence }),
  step(3, 'record_progress', { fence, current: number }),
  step(4, 'record_checkpoint', { fence, at: number }),
  step(4, 'record_artifacts', { fence, names: fc.subarray(['a.txt', 'b.txt', 'ü.txt']) }),
  step(6, 'return', { fence, to: fc.constantFrom<'gpu' | 'local'>('gpu', 'local', 'local'), restarted: fc.boolean() }),
  step(2, 'record_remote', { fence }),
  step(2, 'record_device', { fence, mode: fc.constantFrom(null, 'gpu', 'remote (cpu)') }),
  step(4, 'place_here', { job: number, limit: fc.constantFrom(1, 2, 9), isFallback: fc.boolean() }),
  step(2, 'gpu_wait', { job: number, waits: fc.boolean() }),
  step(6, 'cancel', { job: number, reason }),
  step(4, 'pause', { job: number, freeze: fc.boolean() }),
  step(5, 'resume', { job: number }),
  step(6, 'decide', {
    job: number,
    decision: fc.constantFrom<'approved' | 'rejected'>('approved', 'approved', 'rejected'),
  }),
  step(6, 'update', {
    job: number,
    what: fc.constantFrom<UpdateKind>(
      'run_at',
      'priority',
      'concurrency',
      'labels',
      'depends_on',
      'depends_on',
      'close',
    ),
    number,
  }),
  step(3, 'append', { job: number, items: fc.integer({ min: 1, max: 4 }) }),
  step(8, 'insert', {
    source: number,
    units: fc.array(fc.record({ key: fc.constantFrom(null, null, 'x', 'y'), limitKey }), { maxLength: 3 }),
    done: fc.boolean(),
  }),
  step(2, 'update_queue', { paused: fc.constantFrom(false, true) }),
  step(6, 'take_consequences', {}),
  step(1, 'heartbeat', { worker: number }),
  step(1, 'stop_worker', { worker: number }),
  step(1, 'register_worker', { worker: number }),
  step(1, 'acknowledge', { event: number }),
  step(1, 'show', { event: number }),
  step(1, 'prune_events', { keep: fc.nat({ max: 60 }) }),
  step(2, 'search', {
    word: fc.constantFrom(...words, 'exit', 'kil', 'command'),
    beforeSeq: fc.constantFrom(null, 2, 4),
  }),
  step(6, 'advance', { ms: fc.constantFrom(1, 100, 600) }),
]

const group = step(6, 'group', {
  steps: fc.array(fc.oneof(...single), { minLength: 1, maxLength: 6 }),
  fails: fc.constantFrom(false, false, true),
})

/** fast-check's own sizes stop at about ten operations, which sees next to nothing. */
export const history = fc.array(fc.oneof(...single, group), { minLength: 20, maxLength: 120, size: 'max' })
