import { describe, expect, test } from 'vitest'
import { checkTemplates, renderCommand, type TemplateFacts } from '../../../src/domain/command-template.ts'
import { QueueError } from '../../../src/domain/errors.ts'
import type { Json } from '../../../src/domain/job.ts'
import { unitEnvironment, unitFiles } from '../../../src/domain/unit-environment.ts'
import type { CommandParams } from '../../../src/domain/wire/submit.ts'

const scopeOf = (unit: Json | undefined) => ({
  unit,
  index: 2,
  job: { id: 'the-job' },
  attempt: 1,
  dependencies: new Map<string, Json>(),
})
const withUnits = (first?: Json): TemplateFacts => ({ hasUnits: true, first })

const refusal = (work: () => unknown): QueueError => {
  try {
    work()
  } catch (error) {
    if (error instanceof QueueError && error.code === 'invalid_input') return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('a command', () => {
  test('is rendered in argv, cwd, env and stdin', () => {
    const params: CommandParams = {
      argv: ['convert', '--', '{{unit.path}}', '--name={{unit.name}}'],
      cwd: '/data/{{unit.name}}',
      env: { NAME: '{{unit.name}}', POSITION: '{{index}}' },
      stdin: '{{unit}}\n',
    }
    const unit = { path: '/x', name: '-n' }
    expect(() => checkTemplates(params, withUnits(unit))).not.toThrow()
    expect(renderCommand(params, scopeOf(unit))).toEqual({
      argv: ['convert', '--', '/x', '--name=-n'],
      cwd: '/data/-n',
      env: { NAME: '-n', POSITION: '2' },
      stdin: '{"path":"/x","name":"-n"}\n',
    })
  })

  test.each(['-rf', '--output=/etc/passwd', '-', '-1x', '-e5', '-\n1'])(
    'refuses the value %j as an argument',
    (value) => {
      const params: CommandParams = { argv: ['rm', '{{unit}}'] }
      for (const work of [
        () => renderCommand(params, scopeOf(value)),
        () => checkTemplates(params, withUnits(value)),
        () => renderCommand({ argv: ['rm', '{{unit}}/x'] }, scopeOf(value)),
        () => renderCommand({ argv: ['rm', '{{unit.f}}'] }, scopeOf({ f: value })),
        // Not text but a value: only a literal "--" ends the options.
        () => renderCommand({ argv: ['rm', '{{unit.dashes}}', '{{unit.f}}'] }, scopeOf({ dashes: '--', f: value })),
      ]) {
        expect(refusal(work).message).toContain('read as an option')
        expect(refusal(work).remedy).toContain('"--"')
      }
    },
  )

  test.each(['-5', '-0.5', '-.5', '-1e-3', 'a-b', './-rf', ''])('takes the value %j', (value) => {
    expect(renderCommand({ argv: ['rm', '{{unit}}'] }, scopeOf(value)).argv).toEqual(['rm', value])
  })

  test('takes any number, and any value behind --, after other text, or outside argv', () => {
    expect(renderCommand({ argv: ['seq', '{{unit}}'] }, scopeOf(-3)).argv).toEqual(['seq', '-3'])
    expect(renderCommand({ argv: ['rm', '--', '{{unit}}'] }, scopeOf('-rf')).argv[2]).toBe('-rf')
    expect(renderCommand({ argv: ['rm', './{{unit}}'] }, scopeOf('-rf')).argv[1]).toBe('./-rf')
    expect(renderCommand({ argv: ['cat'], stdin: '{{unit}}' }, scopeOf('-rf')).stdin).toBe('-rf')
  })

  test.each(['echo {{unit}}', 'echo {{ unit.path }}', 'echo "{{index}}"', 'x {{dependencies.fit.result}}'])(
    'refuses the script %s',
    (script) => {
      const error = refusal(() => checkTemplates({ shell: true, script }, withUnits('a')))
      expect(error.message).toContain('run as code')
      expect(error.remedy).toContain('"$NIGHTKILN_UNIT"')
    },
  )

  test('leaves other braces in scripts alone', () => {
    const params: CommandParams = { shell: true, script: "docker ps --format '{{.Names}}' {{ x }}" }
    expect(() => checkTemplates(params, withUnits('a'))).not.toThrow()
    expect(renderCommand(params, scopeOf('a')).argv).toEqual(['/bin/sh', '-c', params.script])
  })

  test.each([
    [['sh', '-c', 'echo {{unit}}']],
    [['sh', '-ce', 'echo {{unit}}']],
    [['bash', '-c', '--', 'echo {{unit}}']],
    [['bash', '-c', '-x', 'echo {{unit}}']],
    [['busybox', 'sh', '-c', 'echo {{unit}}']],
    [['/bin/bash', '-euxc', 'echo {{unit}}']],
    [['env', 'A=1', 'bash', '-l', '-c', '{{unit}}']],
  ])('refuses a placeholder in the script of %j', (argv) => {
    expect(refusal(() => checkTemplates({ argv }, withUnits('a'))).message).toContain('run as code')
  })

  test('takes a placeholder as an argument of a script', () => {
    const argv = ['sh', '-c', 'echo "$1"', 'sh', '{{unit}}']
    expect(() => checkTemplates({ argv }, withUnits('a'))).not.toThrow()
  })

  test('is checked against the first unit, but not for what dependencies will leave', () => {
    const argv = ['x', '{{unit.host}}', '{{fit.result.a}}']
    const facts = { ...withUnits({ hast: 1 }), aliases: ['fit'] }
    expect(refusal(() => checkTemplates({ argv }, facts)).message).toContain('params.argv[1]: unit has no field "host"')
    expect(() => checkTemplates({ argv }, { ...withUnits({ host: 1 }), aliases: ['fit'] })).not.toThrow()
    expect(() => checkTemplates({ argv }, { hasUnits: true, aliases: ['fit'] })).not.toThrow()
  })

  test('without units refuses a placeholder of one, and keeps the braces of other programs', () => {
    expect(refusal(() => checkTemplates({ argv: ['x', '{{unit.a}}'] }, { hasUnits: false })).message).toContain(
      'no unit',
    )
    const params: CommandParams = { argv: ['docker', 'ps', '--format', '{{.Names}}', '{{job.id}}'] }
    expect(() => checkTemplates(params, { hasUnits: false })).not.toThrow()
    expect(renderCommand(params, scopeOf(undefined)).argv.slice(3)).toEqual(['{{.Names}}', 'the-job'])
    expect(refusal(() => checkTemplates(params, withUnits('a'))).message).toContain('{{.Names}}')
  })
})

describe('the environment of a unit', () => {
  test('has the unit, its position and its plain fields', () => {
    expect(unitEnvironment({ 'first name': 'Ann', size: 3, ok: true, none: null, list: [1], größe: 1 }, 4)).toEqual({
      NIGHTKILN_UNIT: '{"first name":"Ann","size":3,"ok":true,"none":null,"list":[1],"größe":1}',
      NIGHTKILN_UNIT_INDEX: '4',
      NIGHTKILN_UNIT_FIRST_NAME: 'Ann',
      NIGHTKILN_UNIT_SIZE: '3',
      NIGHTKILN_UNIT_OK: 'true',
      NIGHTKILN_UNIT_GR_SSE: '1',
    })
    expect(unitEnvironment('text', 0)).toEqual({ NIGHTKILN_UNIT: 'text', NIGHTKILN_UNIT_INDEX: '0' })
  })

  test('leaves out what is too long, ambiguous, reserved or impossible', () => {
    const long = 'x'.repeat(33_000)
    expect(unitEnvironment({ 'a-b': 1, a_b: 2, index: 9, file: 'f', nul: 'a\0', long }, 0)).toEqual({
      NIGHTKILN_UNIT_INDEX: '0',
    })
    expect(unitEnvironment(long, 1)).toEqual({ NIGHTKILN_UNIT_INDEX: '1' })
  })

  test('stays below the limit of the system, however many fields there are', () => {
    const unit = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`field${index}`, 'y'.repeat(2_000)]))
    const length = Object.values(unitEnvironment(unit, 0)).join('').length
    expect(length).toBeLessThan(200_000)
  })

  test('comes with files that have everything', () => {
    expect(unitFiles(undefined, new Map())).toEqual([])
    expect(unitFiles({ a: 1 }, new Map([['fit', { result: 2 }]]))).toEqual([
      { variable: 'NIGHTKILN_UNIT_FILE', name: 'unit.json', text: '{"a":1}\n' },
      { variable: 'NIGHTKILN_DEPENDENCIES_FILE', name: 'dependencies.json', text: '{"fit":{"result":2}}\n' },
    ])
  })
})
