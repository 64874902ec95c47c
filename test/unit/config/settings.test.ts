import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSettings, settingsSchema } from '../../../src/config/settings.ts'
import { QueueError } from '../../../src/domain/errors.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'

function fileWith(content: unknown): string {
  const file = join(useTemporaryHome().home, 'config.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

function refusal(file: string): QueueError {
  try {
    readSettings(file)
  } catch (error) {
    if (error instanceof QueueError) return error
    throw error
  }
  throw new Error('the settings were accepted')
}

describe('readSettings', () => {
  test('a missing file gives the defaults, in ms and bytes', () => {
    const settings = readSettings(join(useTemporaryHome().home, 'none.json'))
    expect(settings).toMatchObject({
      idle_exit: 600_000,
      cancel_grace: 3_000,
      max_output: 10 * 1024 ** 2,
      free_space_floor: 64 * 1024 ** 2,
      log_level: 'info',
      shell: '/bin/sh',
    })
    expect(settings.slots).toBe(Math.max(2, availableParallelism()))
  })

  test('an empty object gives the same', () => {
    expect(readSettings(fileWith({}))).toEqual(readSettings('/nonexistent/config.json'))
  })

  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5 minutes', 90_000],
    ['2h', 7_200_000],
    ['0', 0],
    ['250', 250],
  ])('the duration %s is %i ms', (text, expected) => {
    expect(readSettings(fileWith({ idle_exit: text })).idle_exit).toBe(expected)
  })

  test.each([
    ['1b', 1],
    ['4kb', 4_096],
    ['512MB', 512 * 1024 ** 2],
    ['2 gb', 2 * 1024 ** 3],
  ])('the size %s is %i bytes', (text, expected) => {
    expect(readSettings(fileWith({ max_output: text })).max_output).toBe(expected)
  })

  test.each([
    ['a duration in words', { idle_exit: 'soon' }, 'idle_exit'],
    ['a negative duration', { cancel_grace: '-3s' }, 'cancel_grace'],
    ['a duration as number', { lease: 30 }, 'lease'],
    ['a size without a unit', { max_output: '12' }, 'max_output'],
    ['half a byte', { max_output: '0.5b' }, 'max_output'],
    ['no slot', { slots: 0 }, 'slots'],
    ['half a slot', { slots: 1.5 }, 'slots'],
    ['an unknown level', { log_level: 'loud' }, 'log_level'],
    ['one probe', { probe_count: 1 }, 'probe_count'],
    ['an unknown key', { slot: 4 }, 'slot'],
    ['a list', [], 'the file'],
  ])('refuses %s, naming file and key', (_name, content, key) => {
    const file = fileWith(content)
    const error = refusal(file)
    expect(error.code).toBe('config_invalid')
    expect(error.message).toContain(file)
    expect(error.message).toContain(key)
  })

  test.each([
    [{ slot: 4 }, 'unknown setting "slot"; valid: slots, threads, '],
    [{ slots: 'four' }, 'slots is text, but must be a number'],
    [{ slots: 0 }, 'slots is 0, but must be at least 1'],
    [{ idle_exit: 'soon' }, 'idle_exit is "soon", which is not a duration such as "30s" or "10m"'],
    [{ log_level: 'loud' }, 'log_level is "loud"; valid: trace, debug, info, warn, error'],
    [[], 'the file must hold an object'],
  ])('says of %j what is wrong and what is valid', (content, told) => {
    const file = fileWith(content)
    expect(refusal(file).message).toContain(`${file}: ${told}`)
  })

  test('every setting says what it means', () => {
    for (const [name, schema] of Object.entries(settingsSchema.shape)) expect(schema.description, name).toMatch(/\w/)
  })

  test('refuses what is not JSON and what cannot be read', () => {
    expect(refusal(fileWith('{ slots: 4 }'))).toMatchObject({
      message: expect.stringMatching(/is not JSON/),
      remedy: 'Correct the file, or remove it: every setting is optional.',
    })
    expect(refusal(fileWith('')).message).toMatch(/is not JSON/)
    const directory = join(useTemporaryHome().home, 'config.json')
    mkdirSync(directory)
    expect(refusal(directory).message).toMatch(/cannot read/)
  })
})
