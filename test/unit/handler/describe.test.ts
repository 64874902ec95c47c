import { describe, expect, test } from 'vitest'
import { defineHandler, z } from '../../../src/handler/index.ts'
import { describeHandler } from '../../../src/workers/handler-files/describe.ts'

const good = {
  type: 'resize_images',
  title: 'Resize images',
  description: 'Makes pictures smaller.',
  params: z.object({ width: z.int().min(16).describe('In pixels'), format: z.enum(['webp', 'png']).default('webp') }),
  result: z.object({ file: z.string() }),
  run: () => ({ file: 'x' }),
}

function described(changes: object = {}) {
  return describeHandler(defineHandler({ ...good, ...changes } as typeof good))
}

function problemOf(changes: object): string {
  try {
    described(changes)
  } catch (error) {
    expect(error).toMatchObject({ code: 'handler_unavailable' })
    return (error as Error).message
  }
  return 'none'
}

describe('describeHandler', () => {
  test('tells schemas, an example of its own making, and the defaults of everything else', () => {
    expect(described()).toEqual({
      type: 'resize_images',
      title: 'Resize images',
      description: 'Makes pictures smaller.',
      params_schema: {
        type: 'object',
        properties: {
          width: { type: 'integer', minimum: 16, maximum: Number.MAX_SAFE_INTEGER, description: 'In pixels' },
          format: { type: 'string', enum: ['webp', 'png'], default: 'webp' },
        },
        required: ['width'],
      },
      unit_schema: null,
      unit_required: false,
      result_schema: {
        type: 'object',
        properties: { file: { type: 'string' } },
        required: ['file'],
        additionalProperties: false,
      },
      example: { params: { width: 16, format: 'webp' } },
      concurrency: null,
      gpu: 'never',
      version: '1',
      checkpoint_format: 'resize_images/1',
      on_lease_end: 'cancel',
      runs_on_cpu: true,
      gpu_memory_megabytes: null,
      reusable: false,
      pure: false,
      heap_megabytes: null,
      defaults: {},
    })
  })

  test('says lengths in seconds', () => {
    const { defaults, ...info } = described({
      retry: { maxAttempts: 3, initialMs: 1500, maxMs: 60_000, factor: 3 },
      timeouts: { unitMs: 250, idleMs: 10_000, totalMs: 86_400_000 },
      perKey: { key: '{{unit.host}}', concurrency: 2, rateLimit: { count: 5, intervalMs: 500 } },
      concurrency: 4,
      gpu: 'prefer',
      reusable: true,
      pure: true,
      memoryMegabytes: 256,
    })
    expect(defaults).toEqual({
      max_attempts: 3,
      backoff: { initial_s: 1.5, max_s: 60, factor: 3 },
      timeout_s: 0.25,
      idle_timeout_s: 10,
      total_timeout_s: 86_400,
      per_key: { key: '{{unit.host}}', concurrency: 2, rate_limit: { count: 5, interval_s: 0.5 } },
    })
    expect(info).toMatchObject({ concurrency: 4, gpu: 'prefer', reusable: true, pure: true, heap_megabytes: 256 })
  })

  test('says what matters to a GPU worker, by itself where nothing is said', () => {
    expect(described({ pure: true, version: '3', gpu: 'prefer' })).toMatchObject({
      gpu: 'prefer',
      version: '3',
      checkpoint_format: 'resize_images/3',
      on_lease_end: 'finish',
      runs_on_cpu: true,
    })
    const said = { version: ' 2 ', checkpointFormat: 'rows/4', onLeaseEnd: 'cancel', pure: true }
    expect(described({ ...said, gpu: 'require', runsOnCpu: false, gpuMemoryMegabytes: 8_000 })).toMatchObject({
      gpu: 'require',
      version: '2',
      checkpoint_format: 'rows/4',
      on_lease_end: 'cancel',
      runs_on_cpu: false,
      gpu_memory_megabytes: 8_000,
    })
    expect(described({ version: 'v'.repeat(64), checkpointFormat: 'f'.repeat(100) })).toBeTruthy()
  })

  test.each([
    [{ type: 'Resize Images' }, 'type is "Resize Images", but must be a name such as "resize_images"'],
    [{ title: '' }, 'title is empty'],
    [{ description: undefined }, 'description is missing'],
    [{ params: undefined }, 'params is missing; write a schema such as z.object({ name: z.string() })'],
    [
      { params: { width: 'number' } },
      'params must be a schema such as z.object({ name: z.string() }), with z from "nightkiln/handler"',
    ],
    [{ result: { _def: {} } }, 'result is a schema of zod 3; take z from "nightkiln/handler"'],
    [{ run: undefined }, 'run must be a function: run({ params }) { … }'],
    [{ timeout: 5 }, 'unknown key "timeout"; valid: '],
    [{ timeouts: { unitMs: 0 } }, 'timeouts.unitMs is 0, but must be more than 0'],
    [{ retry: { max: 3 } }, 'retry has the unknown key "max"; valid: maxAttempts, initialMs, maxMs, factor'],
    [{ concurrency: 0.5 }, 'concurrency is 0.5, but must be a whole number'],
    [{ gpu: 'yes' }, 'gpu is "yes"; valid: never, prefer, require'],
    [{ version: '' }, 'version is empty'],
    [{ version: 'v'.repeat(65) }, 'version has 65 characters, but may have at most 64'],
    [{ version: 2 }, 'version is 2, but must be text'],
    [{ checkpointFormat: 'f'.repeat(101) }, 'checkpointFormat has 101 characters, but may have at most 100'],
    [{ type: 't'.repeat(60), version: 'v'.repeat(60) }, 'give a short checkpointFormat'],
    [{ onLeaseEnd: 'wait' }, 'onLeaseEnd is "wait"; valid: finish, cancel'],
    [{ runsOnCpu: 'no' }, 'runsOnCpu is text, but must be true or false'],
    [{ gpuMemoryMegabytes: 0 }, 'gpuMemoryMegabytes is 0, but must be at least 1'],
    [{ gpuMemoryMegabytes: 1.5 }, 'gpuMemoryMegabytes is 1.5, but must be a whole number'],
    [
      { gpu: 'prefer', runsOnCpu: false },
      `gpu is "prefer", but runsOnCpu is false: it cannot fall back; say gpu: 'require'`,
    ],
    [
      { gpu: 'never', runsOnCpu: false },
      `gpu is "never", but runsOnCpu is false: it could run nowhere; say gpu: 'require'`,
    ],
    [{ runsOnCpu: false }, 'gpu is left out, which means "never", but runsOnCpu is false'],
    [{ perKey: { key: '{{unit', concurrency: 1 } }, 'perKey.key'],
    [{ perKey: { key: '{{unit.host}}' } }, 'perKey has neither concurrency nor rateLimit'],
    [{ params: z.string() }, 'params is a schema of type "string", but must be an object such as z.object({ … })'],
    [{ params: z.object({ at: z.date() }) }, 'params.at is z.date(); write z.coerce.date(), which JSON does not have'],
    [{ unit: z.bigint() }, 'unit is z.bigint()'],
  ])('says what is wrong: %j', (changes, sentence) => {
    expect(problemOf(changes)).toContain(sentence)
  })

  test.each([
    [{ params: { width: 1 } }, 'example.params.width is 1, but must be at least 16'],
    [{ params: { width: 20 }, urgent: true }, 'example has the unknown key "urgent"'],
    [{ type: 'resize_images', params: { width: 20 } }, 'example has a type of its own; leave it out'],
    [{ params: { width: 20n } }, 'example.params.width is a BigInt'],
  ])('refuses an example that a submit would refuse: %s', (example, sentence) => {
    expect(problemOf({ example })).toContain(sentence)
  })

  test('demands units in the example of a handler that declares them', () => {
    const unit = z.object({ path: z.string() })
    expect(described({ unit }).example).toEqual({ params: { width: 16, format: 'webp' }, units: [{ path: 'text' }] })
    expect(problemOf({ unit, example: { params: { width: 16 } } })).toContain('example has no units')
    expect(problemOf({ unit, example: { params: { width: 16 }, units: [{ path: 'a' }, {}] } })).toBe(
      'example.units.1.path is missing',
    )
    expect(
      described({ unit, example: { params: { width: 16 }, source: { kind: 'glob', pattern: '*.png' } } }),
    ).toBeTruthy()
  })

  test('takes a schema whose checks need to be waited for', () => {
    const params = z.object({ n: z.int().refine(async () => true) })
    expect(described({ params }).example).toEqual({ params: { n: 1 } })
  })

  test('leaves the example out when none can be made that fits', () => {
    expect(described({ params: z.object({ code: z.string().regex(/^[A-Z]{3}-\d+$/) }) }).example).toEqual({})
  })

  test('makes an example of every kind of schema', () => {
    const params = z.object({
      url: z.url(),
      share: z.number().gt(0).lt(1),
      even: z.int().min(3).multipleOf(2),
      list: z.array(z.email()).min(2),
      pair: z.tuple([z.string(), z.boolean()]),
      either: z.union([z.literal('all'), z.int()]),
      kinds: z.discriminatedUnion('kind', [z.object({ kind: z.literal('a'), n: z.int() })]),
      long: z.string().min(6).max(8),
      left: z.string().optional(),
      given: z.string().meta({ examples: ['such as this'] }),
      when: z.coerce.date(),
      nested: z.object({ deep: z.record(z.string(), z.int()) }),
    })
    expect(described({ params }).example).toEqual({
      params: {
        url: 'https://example.org/',
        share: 0.5,
        even: 4,
        list: ['someone@example.org', 'someone@example.org'],
        pair: ['text', true],
        either: 'all',
        kinds: { kind: 'a', n: 1 },
        long: 'textxx',
        given: 'such as this',
        when: '2031-05-04T22:00:00Z',
        nested: { deep: {} },
      },
    })
  })
})
