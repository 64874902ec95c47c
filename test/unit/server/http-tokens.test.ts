import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ensureHttpTokens, newHttpToken, readHttpTokens, writeHttpTokens } from '../../../src/platform/http-tokens.ts'
import { createAuthenticator } from '../../../src/server/http/authenticator.ts'
import { createTokenTable } from '../../../src/server/http/token-table.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { refusalOf } from './http-support.ts'

function tokenFile(): string {
  return join(useTemporaryHome().home, 'http-tokens.json')
}

describe('the token file', () => {
  test('is made once, with 256 random bits, for this user alone', () => {
    const file = tokenFile()
    const [first] = ensureHttpTokens(file, 0)
    expect(first).toMatchObject({ name: 'default', created_at: '1970-01-01T00:00:00.000Z' })
    expect(first?.token).toMatch(/^nk_[\w-]{43}$/)
    expect(ensureHttpTokens(file, 1)).toEqual([first])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(newHttpToken('a', 0).token).not.toBe(newHttpToken('a', 0).token)
  })

  test('gets a first token again when the last one was removed', () => {
    const file = tokenFile()
    writeHttpTokens(file, [])
    expect(ensureHttpTokens(file, 0)).toHaveLength(1)
    expect(readHttpTokens(file)).toHaveLength(1)
  })

  test.each<[string, string, (file: string) => void]>([
    ['others can read', 'chmod 600', (file) => chmodSync(file, 0o640)],
    ['everybody can write', 'chmod 600', (file) => chmodSync(file, 0o602)],
    [
      'is a link',
      'it is a link',
      (file) => {
        rmSync(file)
        symlinkSync('/dev/null', file)
      },
    ],
    [
      'is a folder',
      'it is not a file',
      (file) => {
        rmSync(file)
        mkdirSync(file)
      },
    ],
    ['is no JSON', 'does not hold tokens', (file) => writeFileSync(file, '{')],
    ['holds a short token', 'does not hold tokens', (file) => replaceToken(file, 'short')],
    ['holds a name twice', 'twice', (file) => writeFileSync(file, twice(readFileSync(file, 'utf8')))],
    ['is very large', 'larger', (file) => writeFileSync(file, ' '.repeat(300 * 1024))],
  ])('that %s is refused, without a word of what is in it', (_what, reason, spoil) => {
    const file = tokenFile()
    const [made] = ensureHttpTokens(file, 0)
    spoil(file)
    const problems: string[] = []
    const table = createTokenTable(file, (problem) => problems.push(problem))
    expect(table.find(made?.token ?? '')).toBeNull()
    expect(table.find(made?.token ?? '')).toBeNull()
    expect(problems).toHaveLength(1)
    try {
      readHttpTokens(file)
      expect.unreachable()
    } catch (error) {
      const { message, remedy } = error as { message: string; remedy: string }
      expect(`${message} ${remedy}`).toContain(reason)
      expect(`${message} ${remedy} ${problems}`).not.toContain(made?.token.slice(3, 12))
    }
  })
})

function replaceToken(file: string, token: string): void {
  const { tokens } = JSON.parse(readFileSync(file, 'utf8')) as { tokens: object[] }
  writeFileSync(file, JSON.stringify({ tokens: tokens.map((one) => ({ ...one, token })) }))
}

function twice(text: string): string {
  const { tokens } = JSON.parse(text) as { tokens: object[] }
  return JSON.stringify({ tokens: [...tokens, ...tokens] })
}

describe('a bearer', () => {
  const ann = newHttpToken('ann', 0)
  const ben = newHttpToken('ben', 0)

  async function bearerOf(file: string, authorization?: string) {
    const authenticator = createAuthenticator(
      createTokenTable(file, () => {}),
      null,
      null,
    )
    const headers = authorization === undefined ? {} : { authorization }
    const verdict = await authenticator.authenticate(new Request('http://localhost/mcp', { headers }))
    if ('identity' in verdict) return verdict.identity.principal
    const { message } = refusalOf(await verdict.refused.text())
    expect(message).toContain('nightkiln token')
    expect(message).not.toContain(ann.token)
    return [verdict.refused.status, verdict.refused.headers.get('www-authenticate')]
  }

  test('is named by the whole token and by nothing less', async () => {
    const file = tokenFile()
    writeHttpTokens(file, [ann, ben])
    expect(await bearerOf(file, `Bearer ${ann.token}`)).toBe('token:ann')
    expect(await bearerOf(file, `bearer  ${ben.token} `)).toBe('token:ben')
    expect(await bearerOf(file)).toEqual([401, 'Bearer realm="nightkiln"'])
    const wrong = [
      `Bearer ${ann.token.slice(0, -1)}`,
      `Bearer ${ann.token.slice(0, 10)}`,
      `Bearer ${ann.token}x`,
      `Bearer ${ann.token} ${ben.token}`,
      `Basic ${ann.token}`,
      `Bearer${ann.token}`,
      ann.token,
      'Bearer ',
      'Bearer',
      '',
      `Bearer ${'x'.repeat(9_000)}`,
      'Bearer eyJhbGciOiJub25lIn0.e30.',
    ]
    for (const authorization of wrong) {
      expect(await bearerOf(file, authorization), authorization).toEqual([
        401,
        'Bearer realm="nightkiln", error="invalid_token"',
      ])
    }
  })

  test('is what the file says now', () => {
    const file = tokenFile()
    const table = createTokenTable(file, () => {})
    expect(table.find(ann.token)).toBeNull()
    writeHttpTokens(file, [ann, ben])
    const identity = table.find(ann.token)
    expect(identity?.holds()).toBe(true)
    const rotated = { ...ann, token: newHttpToken('ann', 0).token }
    writeHttpTokens(file, [rotated, ben])
    expect(identity?.holds()).toBe(false)
    expect(table.find(ann.token)).toBeNull()
    expect(table.find(rotated.token)?.principal).toBe('token:ann')
    rmSync(file)
    expect(table.find(ben.token)).toBeNull()
    writeHttpTokens(file, [ben])
    chmodSync(file, 0o644)
    expect(table.find(ben.token)).toBeNull()
    chmodSync(file, 0o600)
    expect(table.find(ben.token)?.principal).toBe('token:ben')
  })
})
