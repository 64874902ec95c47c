import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Json } from '../../../src/domain/job.ts'
import { compileTemplate, renderTemplate } from '../../../src/domain/template.ts'
import { builtInHandlers } from '../../../src/workers/handlers/index.ts'
import { repositoryRoot } from '../../support/repository.ts'
import { findPath, readImports } from '../../support/source-imports.ts'

interface Schema {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly anyOf?: readonly Schema[]
}

/** Every property without a description, by its path. */
function undescribed(schema: Schema, path: string): string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => [
    ...(property.description === undefined ? [`${path}.${name}`] : []),
    ...undescribed(property, `${path}.${name}`),
  ])
  return [...own, ...(schema.anyOf ?? []).flatMap((one) => undescribed(one, path))]
}

describe('the built-in handlers', () => {
  test('are these', () => {
    expect(builtInHandlers.map(({ definition }) => definition.type)).toEqual([
      'http',
      'checksum_tree',
      'montecarlo',
      'sleep',
    ])
  })

  test('name the built module that a thread loads', () => {
    for (const { file, definition } of builtInHandlers) {
      const name = `${definition.type.replaceAll('_', '-')}.js`
      expect(file).toBe(join(repositoryRoot, 'dist', 'workers', 'handlers', name))
      expect(existsSync(join(repositoryRoot, 'src', 'workers', 'handlers', name.replace('.js', '.ts')))).toBe(true)
    }
  })

  test('cost who only reads their definitions nothing of what they need to run', () => {
    const imports = readImports(join(repositoryRoot, 'src')).filter(({ kind }) => kind === 'static')
    const path = findPath(
      imports,
      (file) => file === 'workers/handlers/index.ts',
      (target) => /^(undici|picomatch)$|\/perform\.ts$/.test(target),
    )
    expect(path?.join(' -> ') ?? null).toBeNull()
  })

  test.each(builtInHandlers.map(({ definition }) => [definition.type, definition] as const))(
    '%s explains every parameter, takes its example and refuses what it does not know',
    (_, { params, unit, example }) => {
      const schema = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' }) as Schema
      expect(undescribed(schema, 'params')).toEqual([])
      const given = example as { params: object; units?: readonly unknown[] }
      expect(params.safeParse(given.params).error).toBeUndefined()
      for (const one of given.units ?? []) expect(unit?.safeParse(one).error).toBeUndefined()
      expect(params.safeParse({ ...given.params, unknown_parameter: 1 }).success).toBe(false)
    },
  )

  test.each<[Json, string]>([
    ['https://example.org/a', 'example.org'],
    [{ url: 'https://example.org:8443/a', name: 'x' }, 'example.org:8443'],
    [{ url: 'https://example.org/a', host: 'chosen' }, 'chosen'],
  ])('http keeps units of a host together: %j is of %s', (unit, host) => {
    const perKey = builtInHandlers[0]?.definition.perKey
    expect(perKey?.concurrency).toBe(2)
    const template = compileTemplate(perKey?.key ?? '', { name: 'per_key.key', roots: ['unit'] })
    const scope = { unit, index: 0, job: { id: '' }, attempt: 0, dependencies: new Map<string, Json>() }
    expect(renderTemplate(template, scope)).toBe(host)
  })
})
