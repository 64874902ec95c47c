import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { artifactFile, statePaths } from '../../../src/config/paths.ts'
import type { Fence } from '../../../src/domain/job.ts'
import type { NewJob } from '../../../src/domain/ports/job-store.ts'
import { resultAnswer, resultRequest } from '../../../src/domain/wire/jobs.ts'
import type { OperationRequest } from '../../../src/domain/wire/operations.ts'
import { jobResult } from '../../../src/manager/services/job-result.ts'
import { claim, facts, finalStepIdOf, jobIdOf, newJob, submit } from '../../conformance/support/jobs.ts'
import { openHistory } from './history-under-test.ts'

function openResults() {
  const { store, context } = openHistory()
  const paths = statePaths(context.facts.home)
  const calls = { ...context, isDraining: () => false }

  function write(fence: Fence, name: string, content: string | Buffer): string {
    const file = artifactFile(paths, { ...fence, name })
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    const bytes = Buffer.byteLength(content)
    const sha256 = createHash('sha256').update(content).digest('hex')
    store.recordArtifactsIfHeld(fence, [{ name, mediaType: 'text/plain', bytes, sha256 }])
    return file
  }

  /** A unit that returns `result` and leaves these files. @returns where they lie */
  function complete(number: number, result: unknown, files: Readonly<Record<string, string | Buffer>> = {}): string[] {
    const { fence } = claim(store, jobIdOf(number))
    const written = Object.entries(files).map(([name, content]) => write(fence, name, content))
    store.completeUnitIfHeld(fence, { result } as never, facts())
    return written
  }

  return {
    store,
    complete,
    submit: (number: number, changes: Partial<NewJob> = {}, units = 1) => submit(store, newJob(number, changes, units)),
    /** Request and answer are checked as the API checks them. */
    async ask(request: Omit<OperationRequest<'job_result'>, 'id'> & { number: number }) {
      const { number, ...rest } = request
      const checked = resultRequest.parse({ id: jobIdOf(number), ...rest })
      return resultAnswer.parse(await jobResult(calls, checked))
    },
  }
}

describe('results', () => {
  test('what a handler returned comes out of its wrapping; what a command left does not', async () => {
    const { store, submit, complete, ask } = openResults()
    submit(1, {}, 2)
    complete(1, { pages: 3 })
    complete(1, null)
    expect(await ask({ number: 1 })).toMatchObject({
      result: [{ pages: 3 }, null],
      artifacts: [],
      more_artifacts: false,
    })
    expect(await ask({ number: 1, unit: 0 })).toMatchObject({ result: { pages: 3 } })
    submit(2)
    const output = { exit_code: 0, result: { pages: 3 } }
    store.completeUnitIfHeld(claim(store, jobIdOf(2)).fence, output, facts())
    expect(await ask({ number: 2 })).toMatchObject({ result: output })
  })

  test('that of the final step too, and its files with those of the units', async () => {
    const { submit, complete, ask } = openResults()
    submit(1, { finalStep: { unitId: finalStepIdOf(1), params: {} } }, 2)
    complete(1, 'first', { 'page.txt': 'one' })
    complete(1, 'second', { 'page.txt': 'two' })
    complete(1, { total: 2 }, { 'all.txt': 'one two' })
    const answer = await ask({ number: 1 })
    expect(answer).toMatchObject({ result: ['first', 'second'], final_result: { total: 2 } })
    expect(answer.artifacts.map(({ unit, name }) => [unit, name])).toEqual([
      [0, 'page.txt'],
      [1, 'page.txt'],
      [2, 'all.txt'],
    ])
    expect(answer.next).toContain(`job_result {"id":"${jobIdOf(1)}","artifact":"page.txt","unit":0} reads a file.`)
    expect(await ask({ number: 1, artifact: 'all.txt' })).toMatchObject({ untrusted_artifact_text: 'one two' })
  })
})

describe('artifacts', () => {
  test('are listed with where they lie, at most 100, and it says when there are more', async () => {
    const { submit, complete, ask } = openResults()
    submit(1)
    const content = 'größer'
    const [path] = complete(1, 'ok', { 'report.txt': content })
    expect((await ask({ number: 1 })).artifacts).toEqual([
      {
        name: 'report.txt',
        unit: 0,
        media_type: 'text/plain',
        bytes: 8,
        sha256: createHash('sha256').update(content).digest('hex'),
        path,
      },
    ])
    submit(2)
    complete(2, 'ok', Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`part ${1_000 + index}`, 'x'])))
    const many = await ask({ number: 2 })
    expect([many.artifacts.length, many.more_artifacts]).toEqual([100, true])
    expect(await ask({ number: 2, artifact: 'part 1100' })).toMatchObject({ untrusted_artifact_text: 'x' })
  })

  test('a text is read up to max_bytes, cut between characters, and harmless to show', async () => {
    const { submit, complete, ask } = openResults()
    submit(1)
    const [path] = complete(1, 'ok', { 'a.txt': `${'ä'.repeat(60)}\u001b[2J`, 'empty.txt': '' })
    const whole = await ask({ number: 1, artifact: 'a.txt' })
    expect(whole).toMatchObject({
      untrusted_artifact_text: `${'ä'.repeat(60)}\\x1b[2J`,
      truncated: false,
      result: null,
    })
    expect(whole.artifacts.map(({ name }) => name)).toEqual(['a.txt'])
    const cut = await ask({ number: 1, artifact: 'a.txt', max_bytes: 101 })
    expect(cut).toMatchObject({ untrusted_artifact_text: 'ä'.repeat(50), truncated: true })
    expect(cut.next).toContain(path)
    expect(await ask({ number: 1, artifact: 'empty.txt' })).toMatchObject({
      untrusted_artifact_text: '',
      truncated: false,
    })
  })

  test.each([
    ['NUL bytes', Buffer.from('PNG\0\0')],
    ['what is no UTF-8', Buffer.from([0x61, 0xff, 0x62])],
    ['a character that ends with the file', Buffer.from('ä').subarray(0, 1)],
  ])('%s are no text: it says where the file is', async (_what, content) => {
    const { submit, complete, ask } = openResults()
    submit(1)
    const [path] = complete(1, 'ok', { picture: content })
    const answer = await ask({ number: 1, artifact: 'picture' })
    expect(answer).toMatchObject({ untrusted_artifact_text: null, truncated: false })
    expect(answer.next).toBe(`It is no text; the file is ${path}. job_result {"id":"${answer.id}"} lists all files.`)
  })

  test('a file that is gone, and a link or a folder in its place, are not read', async () => {
    const { submit, complete, ask } = openResults()
    submit(1)
    const [gone, link, folder] = complete(1, 'ok', { gone: 'x', link: 'x', folder: 'x' })
    for (const file of [gone, link, folder]) rmSync(file ?? '')
    writeFileSync(join(dirname(link ?? ''), 'secret'), 'secret')
    symlinkSync(join(dirname(link ?? ''), 'secret'), link ?? '')
    mkdirSync(folder ?? '')
    for (const artifact of ['gone', 'link', 'folder']) {
      const answer = await ask({ number: 1, artifact })
      expect(answer).toMatchObject({ untrusted_artifact_text: null })
      expect(answer.next).toContain('gone')
    }
  })

  test('a name that several units have needs the unit; an unknown one is refused with those that there are', async () => {
    const { submit, complete, ask } = openResults()
    submit(1, {}, 2)
    complete(1, 0, { 'page.txt': 'zero' })
    complete(1, 1, { 'page.txt': 'one', 'other.txt': '' })
    await expect(ask({ number: 1, artifact: 'page.txt' })).rejects.toThrow(/several units.*such as 0, 1/)
    expect(await ask({ number: 1, artifact: 'page.txt', unit: 1 })).toMatchObject({ untrusted_artifact_text: 'one' })
    expect(await ask({ number: 1, artifact: 'other.txt' })).toMatchObject({ untrusted_artifact_text: '' })
    await expect(ask({ number: 1, artifact: 'none' })).rejects.toThrow(
      'has no artifact "none"; it has page.txt, other.txt',
    )
    await expect(ask({ number: 1, artifact: 'other.txt', unit: 0 })).rejects.toThrow('it has page.txt')
    await expect(ask({ number: 1, artifact: 'page.txt', unit: 7 })).rejects.toMatchObject({ code: 'unit_not_found' })
  })

  test('a name never leads out of the directory of its attempt', () => {
    const paths = { attempts: '/state/attempts' }
    const fence = { unitId: 'u', attempt: 1, nonce: 'n' }
    for (const name of ['../../queue.db', '/etc/passwd', '..', 'a/../../b']) {
      expect(artifactFile(paths, { ...fence, name })).toMatch(/^\/state\/attempts\/u\.1\.n(\/|$)/)
    }
  })
})
