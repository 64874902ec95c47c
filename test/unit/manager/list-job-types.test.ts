import { describe, expect, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import { type AvailableHandler, type BrokenHandler, ownTypeNames } from '../../../src/domain/handler-info.ts'
import type { HandlerSource } from '../../../src/domain/ports/handler-source.ts'
import { listJobTypesAnswer, listJobTypesRequest } from '../../../src/domain/wire/jobs.ts'
import { JobTypeRegistry } from '../../../src/manager/services/job-type-registry.ts'
import { ownJobTypes } from '../../../src/manager/services/job-types.ts'
import { listJobTypes } from '../../../src/manager/services/list-job-types.ts'

function handler(type: string, description = 'Makes pictures smaller.\nNeeds much memory.'): AvailableHandler {
  return {
    info: {
      type,
      title: 'Resize images',
      description,
      params_schema: {
        type: 'object',
        properties: Object.fromEntries(
          Array.from({ length: 12 }, (_, at) => [
            `field_${at}`,
            { type: 'integer', description: 'A number. '.repeat(10) },
          ]),
        ),
      },
      unit_schema: { type: 'object', properties: { path: { type: 'string' } } },
      unit_required: true,
      result_schema: { type: 'object' },
      example: { params: { field_0: 800 }, source: { kind: 'glob', pattern: '/home/you/pictures/**/*.png' } },
      concurrency: 2,
      gpu: 'prefer',
      version: '2',
      checkpoint_format: 'resized/1',
      on_lease_end: 'finish',
      runs_on_cpu: true,
      gpu_memory_megabytes: 4_000,
      reusable: false,
      pure: true,
      heap_megabytes: null,
      defaults: { max_attempts: 3 },
    },
    file: `/home/you/.config/nightkiln/handlers/${type}.ts`,
    revision: 'r',
    isBuiltIn: false,
  }
}

function answerOf(handlers: readonly AvailableHandler[], request: object = {}, broken: readonly BrokenHandler[] = []) {
  const source: HandlerSource = {
    find: (type) => handlers.find(({ info }) => info.type === type) ?? null,
    available: () => handlers,
    broken: () => broken,
    refresh: async () => undefined,
    onChange: () => undefined,
    close: async () => undefined,
  }
  return listJobTypes({ jobTypes: new JobTypeRegistry(source) }, listJobTypesRequest.parse(request))
}

describe('list_job_types', () => {
  test('stays small with ten types of one’s own, and is what was promised', async () => {
    const answer = await answerOf(Array.from({ length: 10 }, (_, at) => handler(`resize_${at}`)))
    expect(listJobTypesAnswer.parse(answer)).toEqual(answer)
    expect(answer.types).toHaveLength(12)
    expect(JSON.stringify(answer).length).toBeLessThan(8 * 1024)
    expect(answer.types.at(-1)).toEqual({
      type: 'resize_9',
      title: 'Resize images',
      description: 'Makes pictures smaller.',
      executor: 'thread',
      source: '/home/you/.config/nightkiln/handlers/resize_9.ts',
      example: {
        type: 'resize_9',
        params: { field_0: 800 },
        source: { kind: 'glob', pattern: '/home/you/pictures/**/*.png' },
      },
    })
  })

  test('gives everything of one type', async () => {
    const { types } = await answerOf([handler('resize')], { type: 'resize' })
    const { info } = handler('resize')
    expect(types).toMatchObject([
      {
        description: info.description,
        params_schema: info.params_schema,
        unit_schema: info.unit_schema,
        result_schema: info.result_schema,
        concurrency: 2,
        gpu: 'prefer',
        version: '2',
        runs_on_cpu: true,
        gpu_memory_megabytes: 4_000,
        checkpoint_format: 'resized/1',
        pure: true,
        defaults: { max_attempts: 3 },
      },
    ])
  })

  test('gives the schemas of all types when asked to', async () => {
    const { types } = await answerOf([handler('resize')], { detail: 'full' })
    expect(types.map(({ type, params_schema, gpu }) => [type, typeof params_schema, gpu])).toEqual([
      ['command', 'object', 'never'],
      ['noop', 'object', 'never'],
      ['resize', 'object', 'prefer'],
    ])
  })

  test('says which files cannot be used, and why', async () => {
    const broken = { type: 'words', file: '/handlers/words.ts', problem: `it cannot be loaded: ${'x'.repeat(1000)}` }
    const answer = await answerOf([], {}, [broken])
    expect(answer.unavailable[0]?.problem).toHaveLength(300)
    expect((await answerOf([], { detail: 'full' }, [broken])).unavailable).toEqual([broken])
    await expect(answerOf([], { type: 'words' }, [broken])).rejects.toMatchObject({ code: 'handler_unavailable' })
    await expect(answerOf([], { type: 'none' }, [broken])).rejects.toBeInstanceOf(QueueError)
  })

  test('leaves a large example to those who ask for it', async () => {
    const large = handler('resize')
    const info = { ...large.info, example: { params: { text: 'x'.repeat(600) } } }
    expect((await answerOf([{ ...large, info }])).types.at(-1)).not.toHaveProperty('example')
    expect((await answerOf([{ ...large, info }], { type: 'resize' })).types[0]).toHaveProperty('example')
  })

  test('knows which types are no handlers', () => {
    expect(ownJobTypes.map(({ type }) => type)).toEqual([...ownTypeNames])
  })
})
