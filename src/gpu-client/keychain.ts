import { WorkerFault } from './worker-client.ts'

/** Optional: 4 MB of native code that most people do not need. A variable, so that nothing looks for it before. */
const keyringPackage = '@napi-rs/keyring'

interface Keyring {
  readonly AsyncEntry: new (service: string, account: string) => { getPassword(): Promise<string | null | undefined> }
}

/**
 * Reads a secret from the keychain of the system.
 * @param load the optional package; replaced in tests
 * @throws WorkerFault key_missing when the package is not installed, there is no keychain (a system without a desktop session)
 * or no such entry
 */
export async function readKeychain(
  service: string,
  account: string,
  load: () => Promise<unknown> = () => import(keyringPackage),
): Promise<string> {
  const keyring = (await load().catch(() => null)) as Keyring | null
  if (keyring === null) {
    throw new WorkerFault(
      'key_missing',
      'KEYCHAIN_NOT_INSTALLED',
      `the key is in the keychain, and ${keyringPackage} is not installed (or does not run here); install it beside nightkiln, or use a key file (0600)`,
    )
  }
  let secret: string | null | undefined
  try {
    secret = await new keyring.AsyncEntry(service, account).getPassword()
  } catch {
    // Its own words may hold anything.
    throw new WorkerFault(
      'key_missing',
      'KEYCHAIN_REFUSED',
      `the keychain gives nothing for ${service}/${account}: it is locked, has no such entry, or this system has none (servers, containers and WSL often do not); use a key file (0600) there`,
    )
  }
  if (secret !== null && secret !== undefined && secret !== '') return secret
  throw new WorkerFault(
    'key_missing',
    'KEYCHAIN_EMPTY',
    `the keychain has no entry ${service}/${account}; servers, containers and WSL often have no keychain: use a key file (0600) there`,
  )
}
