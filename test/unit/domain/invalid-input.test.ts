import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { invalidCommand } from '../../../src/domain/wire/command-hints.ts'
import { invalidInput } from '../../../src/domain/wire/invalid-input.ts'
import { jobFilter, waitRequest } from '../../../src/domain/wire/jobs.ts'
import { commandParams, submitInput } from '../../../src/domain/wire/submit.ts'

/** @returns what a person is told about a value. */
function told(schema: z.ZodType, value: unknown, prefix?: string): string {
  const parsed = schema.safeParse(value)
  if (parsed.success) throw new Error('the value was accepted')
  return invalidInput(parsed.error, { schema, value, prefix }).message
}

describe('a text that does not fit its form', () => {
  const own = z.strictObject({
    root: z.string().min(1).regex(/^\/./).optional().describe('Absolute path'),
    code: z
      .string()
      .regex(/^[A-Z]+$/)
      .default('A'),
    mail: z.email().optional(),
    items: z.array(z.string().regex(/^a/).describe('A word with a')).optional(),
  })
  // As the manager has it: what a handler declares comes to it as JSON Schema.
  const schema = z.fromJSONSchema(z.toJSONSchema(own, { io: 'input' }) as Parameters<typeof z.fromJSONSchema>[0])
  test.each<[unknown, string]>([
    [{ root: 'x' }, 'params.root is "x", which does not fit: Absolute path'],
    [{ root: '' }, 'params.root is empty'],
    [{ code: 'x' }, 'params.code is "x", which does not match the pattern /^[A-Z]+$/'],
    [{ mail: 'x' }, 'params.mail is "x", which is no valid email address'],
    [{ items: ['ab', 'b'] }, 'params.items.1 is "b", which does not fit: A word with a'],
    [{ rot: 'x' }, 'params has the unknown key "rot"; valid: root, code, mail, items'],
  ])('%j', (value, message) => {
    expect(told(schema, value, 'params')).toBe(message)
  })

  test('the words of a schema are kept', () => {
    expect(told(z.string().startsWith('/'), 'x', 'root')).toBe('root is "x", but must start with "/"')
    expect(told(z.string().regex(/^a/, 'must be an a'), 'x', 'it')).toBe('it is "x", but must be an a')
  })
})

describe('an argument that does not fit is told with its value and what is valid', () => {
  const params = { argv: ['true'] }
  test.each<[string, z.ZodType, unknown, string]>([
    ['too large', submitInput, { params, timeout_s: 2_592_000 }, 'timeout_s is 2592000, but may be at most 604800'],
    ['zero', submitInput, { params, timeout_s: 0 }, 'timeout_s is 0, but must be more than 0'],
    ['too small', submitInput, { params, max_attempts: 0 }, 'max_attempts is 0, but must be at least 1'],
    ['half', submitInput, { params, max_attempts: 1.5 }, 'max_attempts is 1.5, but must be a whole number'],
    ['endless', submitInput, { params, timeout_s: Number.NaN }, 'timeout_s is NaN, but must be a number'],
    ['empty', submitInput, { params, name: '' }, 'name is empty'],
    ['long', submitInput, { params, name: 'n'.repeat(201) }, 'name has 201 characters, but may have at most 200'],
    ['a choice', submitInput, { params, priority: 'high' }, 'priority is "high"; valid: urgent, normal, low, idle'],
    ['missing', submitInput, {}, 'params is missing'],
    ['a number as text', submitInput, { params, labels: { batch: 7 } }, 'labels.batch is 7, but must be text: "7"'],
    [
      'labels as a list',
      submitInput,
      { params, labels: ['a=b'] },
      'labels is a list, but must be an object: {"a":"b"}',
    ],
    ['text for a list', commandParams, { argv: 'npm test' }, 'argv is text, but must be a list: ["npm","test"]'],
    ['a shell line for a list', commandParams, { argv: 'a | b' }, 'argv is text, but must be a list'],
    ['a null', submitInput, { params: null }, 'params is null, but must be an object'],
    [
      'an unknown argument',
      waitRequest,
      { ids: [], job: 1 },
      'ids is empty; unknown argument "job"; valid: ids, until, timeout_s, cursor',
    ],
    [
      'an unknown nested key',
      submitInput,
      { params, backoff: { first: 1 } },
      'backoff has the unknown key "first"; valid: initial_s, max_s, factor',
    ],
    [
      'a cursor',
      waitRequest,
      { ids: ['01890a5d-ac96-774b-bcce-b302099a8057'], cursor: 'all' },
      'cursor is "all", but must be the cursor of an earlier answer, such as "136"',
    ],
    ['an id', waitRequest, { ids: ['x'] }, 'ids.0 is "x", which is not a job id (a UUID as submit_job answers it)'],
    [
      'a time',
      jobFilter,
      { created_after: 'yesterday' },
      'created_after is "yesterday", but must be an ISO 8601 time with a zone, such as 2031-05-04T22:00:00Z or 2031-05-04T22:00:00+02:00',
    ],
    [
      'a queue',
      submitInput,
      { params, queue: 'a/b' },
      'queue is "a/b", but must be a queue name: 1 to 64 letters, digits, ".", "_" or "-"',
    ],
    [
      'a wrong type of a wrong length',
      jobFilter,
      { states: 'failed,done' },
      'states is text, but must be a list: ["failed","done"]',
    ],
  ])('%s', (_name, schema, value, expected) => {
    expect(told(schema, value)).toBe(expected)
  })

  test('with the path in front, no more than five, and long values cut', () => {
    expect(told(commandParams, { argv: [1] }, 'params')).toBe('params.argv.0 is 1, but must be text: "1"')
    const many = told(commandParams, { argv: [1, 2, 3, 4, 5, 6, 7] })
    expect(many).toMatch(/; and 2 more$/)
    expect(told(jobFilter, { created_after: 'x'.repeat(1_000) }).length).toBeLessThan(300)
  })

  test('no text of zod itself and no pattern reaches a person', () => {
    const schema = z.strictObject({ list: z.array(z.string()).min(2), flag: z.boolean(), at: z.iso.datetime() })
    expect(told(schema, { list: ['a'], flag: 'yes', at: 5 })).toBe(
      'list has 1 items, but must have at least 2; flag is text, but must be true or false; at is 5, but must be text: "5"',
    )
  })
})

describe('parameters of a command are explained by what was meant', () => {
  test.each<[Record<string, unknown>, string, string]>([
    [
      { argv: 'npm test' },
      'params.argv is text, but must be a list: ["npm","test"]',
      'Give "argv": ["npm","test"], or "shell": true, "script": "npm test".',
    ],
    [
      { argv: 'ls | wc' },
      'params.argv is text, but must be a list',
      'For a command line give "shell": true, "script": "ls | wc".',
    ],
    [
      { shell: 'echo hi' },
      'params.shell is text, but must be true or false',
      'For a command line write "shell": true, "script": "echo hi".',
    ],
    [
      { shell: true, argv: ['ls', '|', 'wc'] },
      'params.argv cannot be given together with shell: true',
      'Put the line into params.script: "shell": true, "script": "ls | wc".',
    ],
    [
      { argv: ['true'], timeout_s: 60 },
      '"timeout_s" belongs beside params, not in it',
      'Give {"params":{…},"timeout_s":60}.',
    ],
    [
      { command: 'npm test' },
      'params has the unknown key "command"',
      'For a command line give "shell": true, "script": "npm test".',
    ],
    [{ cmd: ['npm', 'test'] }, 'params has the unknown key "cmd"', 'For a program give "argv": ["npm","test"].'],
    [
      { command: 'npm', args: ['test'] },
      'params has the unknown key "command"',
      'For a program give "argv": ["npm","test"].',
    ],
  ])('%j', (params, message, remedy) => {
    const parsed = commandParams.safeParse(params)
    if (parsed.success) throw new Error('the parameters were accepted')
    expect(invalidCommand(parsed.error, params)).toMatchObject({ code: 'invalid_input', message, remedy })
  })

  test('an unknown key is told with those that exist', () => {
    const parsed = commandParams.safeParse({ argv: ['true'], comand: 'x' })
    expect(parsed.error === undefined ? '' : invalidCommand(parsed.error, { comand: 'x' }).message).toBe(
      'params has the unknown key "comand"; valid: argv, shell, script, cwd, env, stdin, interactive, success_exit_codes',
    )
  })
})
