import { chmodSync, readFileSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import { type TemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'
import { errorOf, jsonOf, runCli, runProcess } from './run-cli.ts'

async function tokenOf(home: TemporaryHome, ...given: readonly string[]): Promise<string> {
  const result = await runCli(home, ['token', ...given])
  expect(result).toMatchObject({ code: 0, stdout: expect.stringMatching(/^nk_[\w-]{43}\n$/) })
  return result.stdout.trim()
}

async function names(home: TemporaryHome): Promise<unknown> {
  const { tokens } = jsonOf(await runCli(home, ['token', 'list', '--json'])) as { tokens: { name: string }[] }
  return tokens.map(({ name }) => name)
}

describe('token', () => {
  test('makes the first one, shows it again, and tells how a client gets it without writing it down', async () => {
    const home = useTemporaryHome()
    expect(await names(home)).toEqual([])
    const shown = await runProcess(home, ['token'])
    const token = shown.stdout.trim()
    expect(shown.stderr).toContain('claude mcp add --transport http nightkiln http://127.0.0.1:8765/mcp')
    expect(shown.stderr).toContain('$(nightkiln token)')
    expect(shown.stderr).not.toContain(token)
    expect(await tokenOf(home)).toBe(token)
    expect(jsonOf(await runCli(home, ['token', '--json']))).toMatchObject({ name: 'default', token })
    const file = statePaths(home.home).httpTokens
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toContain(token)
  })

  test('keeps several by name; lists show no secrets', async () => {
    const home = useTemporaryHome()
    const first = await tokenOf(home)
    const laptop = await tokenOf(home, 'create', 'laptop')
    expect(await tokenOf(home, 'show', 'laptop')).toBe(laptop)
    expect(await names(home)).toEqual(['default', 'laptop'])
    const list = await runCli(home, ['token', 'list'])
    expect(list.stdout).toMatch(/^name +made\ndefault +\d{4}-\S+Z\nlaptop +\d{4}-\S+Z\n$/)
    expect(list.stdout).not.toMatch(/nk_/)

    const rotated = await tokenOf(home, 'rotate', 'laptop')
    expect(rotated).not.toBe(laptop)
    expect(await tokenOf(home)).toBe(first)
    expect(await tokenOf(home, 'rotate')).not.toBe(first)
    expect(await runCli(home, ['token', 'remove', 'laptop'])).toMatchObject({ code: 0, stdout: 'removed: laptop\n' })
    expect(await names(home)).toEqual(['default'])
  })

  test('says what to do instead', async () => {
    const home = useTemporaryHome()
    await tokenOf(home)
    const wrong = async (...given: readonly string[]) => errorOf(await runCli(home, ['token', ...given, '--json']))
    expect(await wrong('create', 'default')).toMatchObject({ remedy: expect.stringContaining('rotate default') })
    expect(await wrong('create', 'My Laptop')).toMatchObject({ code: 'invalid_input' })
    expect(await wrong('remove', 'nobody')).toMatchObject({ remedy: expect.stringContaining('default') })
    chmodSync(statePaths(home.home).httpTokens, 0o644)
    expect(await wrong()).toMatchObject({ code: 'config_invalid', remedy: expect.stringContaining('chmod 600') })
  })
})

describe('mcp', () => {
  test.each([
    [['--public-name', 'jobs.example.org'], '--http'],
    [['--http', '0.0.0.0:8765'], '--public-name'],
    [['--http', '127.0.0.1:0', '--oauth-issuer', 'https://issuer.example.org'], 'Give both'],
    [
      ['--http', '127.0.0.1:0', '--oauth-issuer', 'http://issuer.example.org', '--oauth-audience', 'https://a.b/mcp'],
      'https',
    ],
  ])('%j is refused before anything is made', async (given, remedy) => {
    const home = useTemporaryHome()
    const result = await runProcess(home, ['mcp', '--json', ...given])
    expect(result.code).toBe(2)
    expect(errorOf(result)).toMatchObject({ code: 'invalid_input', remedy: expect.stringContaining(remedy) })
    expect(await names(home)).toEqual([])
  })
})
