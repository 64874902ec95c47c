import { homedir } from 'node:os'
import { isAbsolute } from 'node:path'
import { describe, expect, test } from 'vitest'
import { attemptDirectory, stateDirectory, statePaths } from '../../../src/config/paths.ts'
import { version } from '../../../src/config/version.ts'
import { QueueError } from '../../../src/domain/errors.ts'

describe('stateDirectory', () => {
  test('is NIGHTKILN_HOME as it stands', () => {
    expect(stateDirectory({ NIGHTKILN_HOME: '/srv/kiln with space' })).toBe('/srv/kiln with space')
  })

  test('is a directory of the user when the variable is empty or missing', () => {
    for (const environment of [{}, { NIGHTKILN_HOME: '' }]) {
      const directory = stateDirectory(environment)
      expect(isAbsolute(directory)).toBe(true)
      expect(directory).toMatch(/nightkiln/i)
      expect(directory.startsWith(process.env['XDG_DATA_HOME'] ?? homedir())).toBe(true)
    }
  })

  test.each(['kiln', './kiln', '~/kiln', 'C:kiln'])('refuses %s, which depends on the current directory', (chosen) => {
    expect(() => stateDirectory({ NIGHTKILN_HOME: chosen })).toThrow(QueueError)
    expect(() => stateDirectory({ NIGHTKILN_HOME: chosen })).toThrow(chosen)
  })
})

describe('statePaths', () => {
  test('everything lies below the home when it was chosen', () => {
    const paths = statePaths('/srv/kiln')
    const { home, ...rest } = paths
    expect(home).toBe('/srv/kiln')
    for (const path of Object.values(rest)) expect(path.startsWith('/srv/kiln/')).toBe(true)
    expect(new Set(Object.values(rest)).size).toBe(Object.keys(rest).length)
  })

  test('the configuration of the default home is where the platform keeps configuration', () => {
    const home = stateDirectory({})
    const paths = statePaths(home)
    expect(paths.configFile.startsWith(home)).toBe(false)
    expect(paths.database).toBe(`${home}/queue.db`)
  })

  test('two attempts never share a directory, nor one attempt before and after a restored backup', () => {
    const paths = statePaths('/srv/kiln')
    const fence = { unitId: 'u', attempt: 1, nonce: 'a' }
    const directories = [fence, { ...fence, attempt: 2 }, { ...fence, nonce: 'b' }, { ...fence, unitId: 'v' }].map(
      (one) => attemptDirectory(paths, one),
    )
    expect(new Set(directories).size).toBe(4)
    for (const directory of directories) expect(directory.startsWith('/srv/kiln/attempts/')).toBe(true)
  })
})

test('the version is that of the package', () => {
  expect(version).toMatch(/^\d+\.\d+\.\d+/)
})
