import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readKey } from '../../../src/gpu-client/keys.ts'
import { fileWith, useDirectory } from './certificates.ts'
import { faultOf } from './client-under-test.ts'

const key = 'canary-key-5f1c9b2e'

describe('a key file', () => {
  test.each([key, `${key}\n`, `${key}\r\n`])('gives the key of its one line: %j', async (text) => {
    expect(await readKey({ file: fileWith(text) })).toBe(key)
  })

  test('is read anew each time', async () => {
    const file = fileWith(key)
    await readKey({ file })
    writeFileSync(file, 'another-key')
    expect(await readKey({ file })).toBe('another-key')
  })

  test.each([0o644, 0o640, 0o604, 0o660, 0o610])('that others may use (%o) is refused', async (mode) => {
    const file = fileWith(key)
    execFileSync('chmod', [mode.toString(8), file])
    const fault = await faultOf(readKey({ file }))
    expect(fault).toMatchObject({ kind: 'key_missing', code: 'KEY_MODE' })
    expect(fault.message).toContain(`chmod 600 ${file}`)
  })

  test.each([
    ['two lines', `${key}\nsecond\n`, 'KEY_NOT_ONE_LINE'],
    ['a blank', `Bearer ${key}`, 'KEY_NOT_ONE_LINE'],
    ['a control character', `${key}\u0007`, 'KEY_NOT_ONE_LINE'],
    ['other letters', `${key}ä`, 'KEY_NOT_ONE_LINE'],
    ['nothing', '\n', 'KEY_EMPTY'],
    ['too much', 'k'.repeat(4_097), 'KEY_TOO_LARGE'],
  ])('with %s is refused without repeating it', async (_, text, code) => {
    const fault = await faultOf(readKey({ file: fileWith(text) }))
    expect(fault).toMatchObject({ kind: 'key_missing', code })
    expect(fault.message).not.toContain(key)
  })

  test('must be a regular file, not a link, a folder or a pipe', async () => {
    const directory = useDirectory()
    const target = fileWith(key)
    symlinkSync(target, join(directory, 'link'))
    mkdirSync(join(directory, 'folder'), { mode: 0o700 })
    execFileSync('mkfifo', ['-m', '600', join(directory, 'pipe')])
    expect(await faultOf(readKey({ file: join(directory, 'link') }))).toMatchObject({ code: 'ELOOP' })
    expect(await faultOf(readKey({ file: join(directory, 'folder') }))).toMatchObject({ code: 'KEY_NOT_A_FILE' })
    expect(await faultOf(readKey({ file: join(directory, 'pipe') }))).toMatchObject({ code: 'KEY_NOT_A_FILE' })
    expect(await faultOf(readKey({ file: join(directory, 'none') }))).toMatchObject({ code: 'ENOENT' })
  })

  test('is not looked for where the manager happens to run', async () => {
    expect(await faultOf(readKey({ file: 'rig.key' }))).toMatchObject({
      code: 'KEY_PATH',
      message: 'the key file rig.key is not an absolute path',
    })
  })

  test.runIf(process.getuid?.() === 0)('of another user is refused', async () => {
    const file = fileWith(key)
    execFileSync('chown', ['65534', file])
    expect(await faultOf(readKey({ file }))).toMatchObject({ kind: 'key_missing', code: 'KEY_OWNER' })
  })
})
