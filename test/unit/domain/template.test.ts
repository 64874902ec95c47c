import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import type { Json } from '../../../src/domain/job.ts'
import { compileTemplate, renderTemplate, type TemplateScope } from '../../../src/domain/template.ts'

const scope: TemplateScope = {
  unit: {
    path: '/a b.txt',
    size: 12,
    big: true,
    none: null,
    list: [1, 'two'],
    inner: { 'a.b': 'dotted', deep: { x: 1 } },
  },
  index: 7,
  job: { id: 'the-job' },
  attempt: 3,
  dependencies: new Map<string, Json>([['fit', { state: 'completed', result: { slope: 1.5 } }]]),
}

const rendered = (text: string, given: Partial<TemplateScope> = {}, strict = true): string => {
  const all = { ...scope, ...given }
  return renderTemplate(compileTemplate(text, { name: 'text', aliases: [...all.dependencies.keys()], strict }), all)
}

const refusal = (work: () => unknown): QueueError => {
  try {
    work()
  } catch (error) {
    if (error instanceof QueueError && error.code === 'invalid_input') return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('a template', () => {
  test.each([
    ['plain', 'plain'],
    ['{{unit.path}}', '/a b.txt'],
    ['x{{ unit . size }}y{{index}}', 'x12y7'],
    ['{{unit.big}} {{unit.none}} {{unit.list}} {{unit.list.1}} {{unit.list[0]}}', 'true null [1,"two"] two 1'],
    ['{{unit.inner["a.b"]}}', 'dotted'],
    ['{{unit.inner.deep}}', '{"x":1}'],
    ['{{job.id}}/{{attempt}}', 'the-job/3'],
    ['{{dependencies.fit.result.slope}} {{fit.state}}', '1.5 completed'],
    ['{{{{unit}}', '{{unit}}'],
    ['{"size":{{unit.size}}}', '{"size":12}'],
    ['{{{unit.size}}}', '{12}'],
    ['{{{{{{unit.size}}', '{{12'],
    ['C:\\out\\{{unit.size}}', 'C:\\out\\12'],
    ['a } }} { b', 'a } }} { b'],
  ])('%s becomes %s', (text, expected) => {
    expect(rendered(text)).toBe(expected)
  })

  test.each([
    ['{{units.path}}', '"{{units.path}}" at character 1', '"units"'],
    ['ab{{unit.path', 'at character 3', 'not closed'],
    ['{{unit..path}}', 'at character 1', 'not well-formed'],
    ['{{unit.}}', 'at character 1', 'not well-formed'],
    ['{{ }}', 'at character 1', 'does not begin with a word'],
    ['{{index.x}}', 'at character 1', 'which is a number'],
    ['{{job.name}}', 'at character 1', '{{job.id}}'],
    ['{{dependencies.fot.result}}', '"fot"', 'there are: fit'],
    ['{{unit["\\x"]}}', 'at character 1', 'not a JSON string'],
  ])('%s is refused', (text, ...words) => {
    const error = refusal(() => rendered(text))
    for (const word of words) expect(error.message).toContain(word)
    expect(error.remedy).toContain('{{unit.field}}')
  })

  test.each([
    'length',
    '__proto__',
    'constructor',
    'toString',
    'list.length',
    'path.0',
    'path.length',
    'list.01',
    'list.-1',
  ])('the field %s is not there unless the unit has it', (field) => {
    expect(refusal(() => rendered(`{{unit.${field}}}`)).message).toContain(`{{unit.${field}}}`)
  })

  test('names the fields there are, and which level lacks one', () => {
    expect(refusal(() => rendered('{{unit.hots}}')).message).toBe(
      '{{unit.hots}} in text: unit has no field "hots"; it has: path, size, big, none, list, inner',
    )
    expect(refusal(() => rendered('{{unit.inner.deep.y}}')).message).toContain(
      'unit.inner.deep has no field "y"; it has: x',
    )
    expect(refusal(() => rendered('{{unit.size.x}}')).message).toContain('it is a number')
  })

  test.each<[Json, string]>([
    ['https://user:secret@Example.ORG/a?b=1', 'example.org'],
    ['HTTP://127.0.0.1:8080/x', '127.0.0.1:8080'],
    ['https://bücher.example/', 'xn--bcher-kva.example'],
    [{ url: 'https://example.org:8443/', title: 'x' }, 'example.org:8443'],
    [{ url: 'https://example.org/', host: 'own' }, 'own'],
    [{ url: 'https://example.org/', host: null }, 'null'],
  ])('{{unit.host}} of %j is %s', (unit, host) => {
    expect(rendered('{{unit.host}}', { unit })).toBe(host)
  })

  test('{{unit.url.host}} is the host of a field that is a URL', () => {
    expect(rendered('{{unit.url.host}}', { unit: { url: 'http://example.org/', host: 'own' } })).toBe('example.org')
  })

  test.each<Json>([
    'plain',
    '//example.org/',
    'ftp://example.org/',
    'https://',
    'http://[/',
    7,
    null,
    ['https://example.org/'],
    { url: 7 },
    { url: { url: 'https://example.org/' } },
    { address: 'https://example.org/' },
  ])('%j has no host', (unit) => {
    expect(refusal(() => rendered('{{unit.host}}', { unit })).message).toContain('unit has no field "host"')
  })

  test('has no unit where there is none', () => {
    expect(refusal(() => rendered('{{unit}}', { unit: undefined })).message).toContain('there is no unit here')
  })

  test('refuses a value with a NUL character', () => {
    expect(refusal(() => rendered('{{unit}}', { unit: 'a\0b' })).message).toContain('NUL')
  })

  test.each(['{{.Names}}', '{{range .Items}}', '{{ jinja }}', '{{', '{{{{x', '{{unitary}}'])(
    'in a plain job %s is text',
    (text) => {
      expect(rendered(text, {}, false)).toBe(text)
    },
  )

  test('in a plain job known words are placeholders all the same', () => {
    expect(rendered('{{.Names}} {{job.id}} {{{{job.id}}', {}, false)).toBe('{{.Names}} the-job {{job.id}}')
  })

  test('never does anything but render or refuse', () => {
    const pieces = fc.constantFrom(
      '{',
      '{{',
      '}}',
      '}',
      'unit',
      '.',
      '["',
      '"]',
      '\\',
      ' ',
      'index',
      'fit',
      'a',
      '\0',
      '😀',
      '\n',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), fc.boolean(), (parts, strict) => {
        const text = parts.join('')
        try {
          rendered(text, {}, strict)
        } catch (error) {
          if (!(error instanceof QueueError) || error.code !== 'invalid_input') throw error
          expect(error.message.length).toBeLessThan(600)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('gives back any value under any key', () => {
    const key = fc.string({ minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(key, fc.jsonValue({ maxDepth: 2 }), (name, value) => {
        const text = typeof value === 'string' ? value : JSON.stringify(value)
        fc.pre(!text.includes('\0'))
        const unit = Object.defineProperty({}, name, { value, enumerable: true }) as Json
        expect(rendered(`<{{unit[${JSON.stringify(name)}]}}>`, { unit })).toBe(`<${text}>`)
      }),
      { numRuns: 500 },
    )
  })

  test('takes time in proportion to its length', () => {
    const began = performance.now()
    refusal(() => rendered(`{{unit${' .a'.repeat(50_000)} ${' '.repeat(50_000)}`))
    rendered('{'.repeat(100_000), {}, false)
    expect(performance.now() - began).toBeLessThan(1_000)
  })
})
