import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { jsonOf, runCli } from './run-cli.ts'

describe('the files of a job', () => {
  it('result lists them with where they lie, and --artifact prints nothing but that', async () => {
    const home = useTemporaryHome()
    const root = join(home.home, 'tree')
    mkdirSync(root)
    writeFileSync(join(root, 'a.txt'), 'content')
    const submitted = await runCli(home, ['submit', '--type', 'checksum_tree', '--param', `root=${root}`])
    const id = submitted.stdout.trim()
    await runCli(home, ['wait', id, '--quiet'])
    const answer = jsonOf(await runCli(home, ['result', id, '--json']))
    const [artifact, ...others] = answer['artifacts'] as { name: string; path: string }[]
    expect(others).toEqual([])
    expect(answer['result']).toMatchObject({ files: 1 })

    const people = await runCli(home, ['result', id])
    expect(people.stderr).toContain(`file ${artifact?.name}`)
    expect(people.stderr).toContain(artifact?.path)

    const found = await runCli(home, ['result', id, '--artifact', artifact?.name ?? ''])
    expect(found).toMatchObject({ code: 0, stdout: `${artifact?.path}\n`, stderr: '' })
    expect(readFileSync(found.stdout.trim(), 'utf8')).toMatch(/^[0-9a-f]{64} [ *]a\.txt\n$/)
    const text = jsonOf(await runCli(home, ['result', id, '--json', '--artifact', artifact?.name ?? '']))
    expect(text['untrusted_artifact_text']).toBe(readFileSync(found.stdout.trim(), 'utf8'))

    const unknown = await runCli(home, ['result', id, '--artifact', 'nope'])
    expect(unknown).toMatchObject({ code: 2, stdout: '' })
    expect(unknown.stderr).toContain(`it has ${artifact?.name}`)
    expect(unknown.stderr).toContain(`nightkiln result ${id} lists them`)
  })
})
