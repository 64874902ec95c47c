import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ProtocolError, ResourceNotFoundError } from '@modelcontextprotocol/server'
import { describe, expect, test } from 'vitest'
import { artifactFile, statePaths } from '../../../../src/config/paths.ts'
import { QueueError } from '../../../../src/domain/errors.ts'
import { jobResources } from '../../../../src/server/resources/job-resources.ts'
import { mostBlobBytes } from '../../../../src/server/resources/read-artifact.ts'
import { useTemporaryHome } from '../../../support/temporary-home.ts'
import { artifact, id, result } from './answers.ts'
import { type Content, caller, contentIn, context, fakeManager } from './fake-manager.ts'

const secret = 'the secret of somebody else'

interface Attempt {
  readonly home: string
  /** Where its files lie. */
  readonly folder: string
  /** Reads a file as if the manager had listed it at its usual place. */
  read(name: string, changes?: Parameters<typeof artifact>[1]): Promise<Content>
}

function newAttempt(): Attempt {
  const { home } = useTemporaryHome()
  const paths = statePaths(home)
  const made = { unitId: 'unit', attempt: 1, nonce: 'nonce' }
  const folder = join(paths.attempts, 'unit.1.nonce', 'artifacts')
  mkdirSync(folder, { recursive: true })
  return {
    home,
    folder,
    async read(name, changes = {}) {
      const path = artifactFile(paths, { ...made, name })
      const answer = result({ artifacts: [artifact(name, { path, ...changes })] })
      const options = { attempts: () => paths.attempts }
      const family = jobResources(fakeManager({ job_result: answer }).host, options)
      const uri = `job://${id}/artifacts/${encodeURIComponent(name)}`
      const content = contentIn(await family.read(uri, context, caller))
      expect(content._meta).toEqual({ 'nightkiln/untrusted': true })
      return content
    },
  }
}

describe('a file that a job made', () => {
  test('is text when it is text, made harmless', async () => {
    const attempt = newAttempt()
    writeFileSync(join(attempt.folder, 'ü b.csv'), 'a,b\r\n\u001b[31mred\n')
    const content = await attempt.read('ü b.csv', { media_type: 'text/csv; charset=utf-8' })
    expect(content).toMatchObject({ mimeType: 'text/csv', text: 'a,b\n\\x1b[31mred\n' })
    expect(content.uri).toBe(`job://${id}/artifacts/%C3%BC%20b.csv`)
  })

  test.each([
    ['text/html;profile=mcp-app', 'text/html'],
    ['application/octet-stream', 'text/plain'],
    ['nonsense', 'text/plain'],
    ['a/b\\x0a', 'text/plain'],
  ])('of media type %s is %s', async (given, shown) => {
    const attempt = newAttempt()
    writeFileSync(join(attempt.folder, 'page'), '<b>')
    expect(await attempt.read('page', { media_type: given })).toMatchObject({ mimeType: shown, text: '<b>' })
  })

  test('is a blob when it is no text', async () => {
    const attempt = newAttempt()
    const bytes = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff])
    writeFileSync(join(attempt.folder, 'a.png'), bytes)
    const content = await attempt.read('a.png', { media_type: 'image/png' })
    expect(content).toMatchObject({ mimeType: 'image/png', blob: bytes.toString('base64') })
    expect(content.text).toBeUndefined()
  })

  test.each([30_000, mostBlobBytes + 1])(
    'of %i characters is its beginning, and says where the whole is',
    async (size) => {
      const attempt = newAttempt()
      writeFileSync(join(attempt.folder, 'a.txt'), 'é'.repeat(size))
      const { text = '' } = await attempt.read('a.txt')
      expect(text.length).toBe(20_000)
      expect(text).toMatch(/^é+…?\n\[cut by Nightkiln: the beginning of \d+ bytes; the whole file is \/.*a\.txt\]$/)
    },
  )

  test('that is no text and too large is an error that says where it is', async () => {
    const attempt = newAttempt()
    writeFileSync(join(attempt.folder, 'a.bin'), Buffer.alloc(mostBlobBytes + 1))
    const error: unknown = await attempt.read('a.bin').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ProtocolError)
    expect(error).not.toBeInstanceOf(ResourceNotFoundError)
    expect(error).toMatchObject({
      code: -32602,
      message: expect.stringMatching(/has 5242881 bytes and is no text.*The file is \/.*a\.bin/),
    })
  })

  test('that was removed is not found', async () => {
    await expect(newAttempt().read('gone.txt')).rejects.toThrow(/"gone\.txt" of job .* is gone/)
  })
})

describe('nothing else can be read', () => {
  async function expectRefused(attempt: Attempt, name: string, changes: Parameters<typeof artifact>[1] = {}) {
    const outcome: unknown = await attempt.read(name, changes).catch((error: unknown) => error)
    expect(outcome).toBeInstanceOf(ResourceNotFoundError)
    expect(JSON.stringify(outcome)).not.toContain(secret)
  }

  test('a link in place of the file', async () => {
    const attempt = newAttempt()
    writeFileSync(join(attempt.home, 'secret'), secret)
    symlinkSync(join(attempt.home, 'secret'), join(attempt.folder, 'a.txt'))
    await expectRefused(attempt, 'a.txt')
  })

  test('a link to a file of the same job', async () => {
    const attempt = newAttempt()
    writeFileSync(join(attempt.folder, 'b.txt'), secret)
    symlinkSync('b.txt', join(attempt.folder, 'a.txt'))
    await expectRefused(attempt, 'a.txt')
  })

  test('a link in place of the folder', async () => {
    const attempt = newAttempt()
    const elsewhere = join(attempt.home, 'elsewhere')
    mkdirSync(elsewhere)
    writeFileSync(join(elsewhere, 'a.txt'), secret)
    rmSync(attempt.folder, { recursive: true })
    symlinkSync(elsewhere, attempt.folder)
    await expectRefused(attempt, 'a.txt')
  })

  test('a link in place of the attempt', async () => {
    const attempt = newAttempt()
    const elsewhere = join(attempt.home, 'elsewhere')
    writeFileSync(join(attempt.folder, 'a.txt'), secret)
    renameSync(join(attempt.folder, '..'), elsewhere)
    symlinkSync(elsewhere, join(attempt.folder, '..'))
    await expectRefused(attempt, 'a.txt')
  })

  test('a path outside the directory of attempts, whoever gave it', async () => {
    const attempt = newAttempt()
    const outside = join(attempt.home, 'config')
    mkdirSync(outside)
    writeFileSync(join(outside, 'token'), secret)
    await expectRefused(attempt, 'token', { path: join(outside, 'token') })
    await expectRefused(attempt, 'token', { path: `${attempt.folder}/../../../config/token` })
    writeFileSync(join(attempt.folder, '..', 'environment'), secret)
    await expectRefused(attempt, 'environment', { path: join(attempt.folder, '..', 'environment') })
  })

  test('a directory or a link to a device', async () => {
    const attempt = newAttempt()
    mkdirSync(join(attempt.folder, 'folder'))
    symlinkSync('/dev/zero', join(attempt.folder, 'zero'))
    await expectRefused(attempt, 'folder')
    await expectRefused(attempt, 'zero')
  })

  test('names that job_result does not list', async () => {
    const refusal = new QueueError('invalid_input', `job ${id} has no artifact "../../x"; it has report.csv`)
    const manager = fakeManager({ job_result: refusal })
    for (const name of ['../../x', '..%2f..%2fx', '%2e%2e/x']) {
      const reading = jobResources(manager.host).read(`job://${id}/artifacts/${name}`, context, caller)
      await expect(reading).rejects.toThrow(/has no artifact/)
    }
    const asked = `job_result {"id":"${id}","artifact":"../../x","max_bytes":100}`
    expect(manager.seen.slice(0, 2)).toEqual([asked, asked])
  })

  test('but a second name of the same file is a file', async () => {
    const attempt = newAttempt()
    writeFileSync(join(attempt.folder, 'b.txt'), 'shared')
    linkSync(join(attempt.folder, 'b.txt'), join(attempt.folder, 'a.txt'))
    expect(await attempt.read('a.txt')).toMatchObject({ text: 'shared' })
  })
})
