import { describe, expect, test } from 'vitest'
import { readKeychain } from '../../../src/gpu-client/keychain.ts'
import { readKey } from '../../../src/gpu-client/keys.ts'

const key = 'canary-key-5f1c9b2e'
const none = { environment: {}, keychain: () => Promise.reject(new Error('not asked')) }

function keyringWith(getPassword: () => Promise<string | null>): () => Promise<unknown> {
  return () =>
    Promise.resolve({
      AsyncEntry: class {
        readonly getPassword = getPassword
      },
    })
}

describe('a key', () => {
  test('is not needed by every worker', async () => {
    expect(await readKey(undefined, none)).toBeNull()
  })

  test('comes from the environment, if it is there', async () => {
    expect(await readKey({ env: 'GPU_KEY' }, { ...none, environment: { GPU_KEY: key } })).toBe(key)
    await expect(readKey({ env: 'GPU_KEY' }, none)).rejects.toMatchObject({
      kind: 'key_missing',
      code: 'KEY_NOT_SET',
      message: expect.stringContaining('GPU_KEY is not set for the manager'),
    })
    const environment = { GPU_KEY: `${key}\nx: y` }
    await expect(readKey({ env: 'GPU_KEY' }, { ...none, environment })).rejects.toMatchObject({
      code: 'KEY_NOT_ONE_LINE',
    })
  })

  test('comes from the keychain', async () => {
    const keychain = (service: string, account: string) => Promise.resolve(`${service}-${account}`)
    expect(await readKey({ keychain: { service: 'nightkiln', account: 'gpu' } }, { ...none, keychain })).toBe(
      'nightkiln-gpu',
    )
  })
})

describe('the keychain', () => {
  test('gives what is in it', async () => {
    expect(
      await readKeychain(
        'nightkiln',
        'gpu',
        keyringWith(() => Promise.resolve(key)),
      ),
    ).toBe(key)
  })

  test('says that its package is missing, and what to do', async () => {
    await expect(readKeychain('nightkiln', 'gpu')).rejects.toMatchObject({
      kind: 'key_missing',
      code: 'KEYCHAIN_NOT_INSTALLED',
      message: expect.stringContaining('@napi-rs/keyring is not installed'),
    })
  })

  test('says that a headless system has none, without its own words', async () => {
    const refusing = keyringWith(() => Promise.reject(new Error(`AccessDenied ${key}`)))
    const refusal = await readKeychain('nightkiln', 'gpu', refusing).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ kind: 'key_missing', code: 'KEYCHAIN_REFUSED', cause: undefined })
    expect((refusal as Error).message).toContain('use a key file')
    expect((refusal as Error).message).not.toContain(key)
  })

  test('says that it has no such entry', async () => {
    const empty = keyringWith(() => Promise.resolve(null))
    await expect(readKeychain('nightkiln', 'gpu', empty)).rejects.toMatchObject({ code: 'KEYCHAIN_EMPTY' })
  })
})
