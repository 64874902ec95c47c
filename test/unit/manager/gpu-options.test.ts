import { describe, expect, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import type { SubmitRequest } from '../../../src/domain/wire/submit.ts'
import { type GpuFacts, gpuOptions } from '../../../src/manager/services/gpu-options.ts'

type Wish = Partial<Pick<SubmitRequest, 'gpu' | 'gpu_fallback' | 'gpu_wait_s'>>

const facts: GpuFacts = { gpu: 'never', runs_on_cpu: true, pure: false }

function optionsOf(wish: Wish, given: GpuFacts | null = facts) {
  return gpuOptions('scan', given, wish as SubmitRequest)
}

function refusalOf(wish: Wish, given: GpuFacts | null = facts): [string, string | undefined] {
  try {
    optionsOf(wish, given)
  } catch (thrown) {
    if (!(thrown instanceof QueueError)) throw thrown
    expect(thrown.code).toBe('invalid_input')
    return [thrown.message, thrown.remedy]
  }
  throw new Error('nothing was refused')
}

describe('what a job asks of GPU workers', () => {
  test.each<[string, Wish, GpuFacts | null]>([
    ['nothing is said', {}, facts],
    ['nothing is said of a command', {}, null],
    ['the submit says never, whatever the type says', { gpu: 'never' }, { ...facts, gpu: 'prefer' }],
    ['a command says never', { gpu: 'never' }, null],
  ])('nothing: %s', (_what, wish, given) => {
    expect(optionsOf(wish, given)).toBeUndefined()
  })

  test('prefer falls back once the lease is over, and waits a minute, unless it says otherwise', () => {
    expect(optionsOf({ gpu: 'prefer' })).toEqual({ preference: 'prefer', fallback: 'after_lease', waitMs: 60_000 })
    expect(optionsOf({ gpu: 'prefer', gpu_fallback: 'never', gpu_wait_s: 2.5 })).toEqual({
      preference: 'prefer',
      fallback: 'never',
      waitMs: 2_500,
    })
    expect(optionsOf({ gpu: 'prefer', gpu_fallback: 'immediate' }, { ...facts, pure: true })?.fallback).toBe(
      'immediate',
    )
  })

  test('require waits a day, or as long as it says, and never falls back', () => {
    const day = 24 * 3_600_000
    expect(optionsOf({ gpu: 'require' })).toEqual({ preference: 'require', fallback: 'never', waitMs: day })
    expect(optionsOf({ gpu: 'require', gpu_wait_s: 30 })?.waitMs).toBe(30_000)
  })

  test('the word of the submit goes before that of the type', () => {
    const required: GpuFacts = { gpu: 'require', runs_on_cpu: true, pure: true }
    expect(optionsOf({}, required)?.preference).toBe('require')
    expect(optionsOf({ gpu: 'prefer' }, required)?.preference).toBe('prefer')
    expect(optionsOf({ gpu: 'require' }, { ...facts, gpu: 'prefer' })?.preference).toBe('require')
    expect(optionsOf({ gpu: 'require' }, { ...facts, runs_on_cpu: false })?.preference).toBe('require')
  })

  test('a wait too short to tell is still one', () => {
    expect(optionsOf({ gpu: 'prefer', gpu_wait_s: 0.000_1 })?.waitMs).toBe(1)
  })
})

describe('is refused, with what would make sense', () => {
  test.each<[string, Wish, GpuFacts | null, string, string]>([
    [
      'a GPU for what is no handler',
      { gpu: 'prefer' },
      null,
      '"scan" runs on this machine alone: no GPU worker serves it',
      'Leave gpu out, or write a handler (nightkiln new-handler) that the worker has too.',
    ],
    [
      'never, of a type without an implementation for the processor',
      { gpu: 'never' },
      { ...facts, runs_on_cpu: false },
      '"scan" has no implementation for the processor, so gpu: "never" could not run',
      'Say gpu: "require".',
    ],
    [
      'prefer, of such a type',
      { gpu: 'prefer' },
      { ...facts, runs_on_cpu: false },
      '"scan" has no implementation for the processor, so gpu: "prefer" could not fall back',
      'Say gpu: "require": it then waits for a worker.',
    ],
    [
      'a fallback without a GPU',
      { gpu_fallback: 'immediate', gpu_wait_s: 9 },
      facts,
      'gpu_fallback is given, but the job never asks for a GPU',
      'Say gpu: "prefer" too, or leave gpu_fallback out.',
    ],
    [
      'a wait without a GPU',
      { gpu: 'never', gpu_wait_s: 9 },
      { ...facts, gpu: 'prefer' },
      'gpu_wait_s is given, but the job never asks for a GPU',
      'Say gpu: "prefer" too, or leave gpu_wait_s out.',
    ],
    [
      'a fallback with require',
      { gpu: 'require', gpu_fallback: 'after_lease' },
      facts,
      'gpu_fallback "after_lease" is given with gpu: "require"',
      'Say gpu: "prefer", or leave gpu_fallback out.',
    ],
    [
      'the same when the type requires it',
      { gpu_fallback: 'never' },
      { ...facts, gpu: 'require' },
      'gpu_fallback "never" is given with gpu: "require"',
      'Say gpu: "prefer", or leave gpu_fallback out.',
    ],
    [
      'an immediate fallback of what is not pure',
      { gpu: 'prefer', gpu_fallback: 'immediate' },
      facts,
      'gpu_fallback "immediate" may run "scan" twice at a time, and its handler is not declared pure',
      'Leave gpu_fallback out: it then falls back once the worker has surely stopped.',
    ],
  ])('%s', (_what, wish, given, message, remedy) => {
    expect(refusalOf(wish, given)).toEqual([message, remedy])
  })
})
