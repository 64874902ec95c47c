import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { gpuKeyVariables } from '../../../src/client/gpu-key-variables.ts'
import { statePaths } from '../../../src/config/paths.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'

const environment = { RIG: 'canary-1', OTHER: 'canary-2', NIGHTKILN_FENCE: 'u.1.n' }

function variablesWith(text: string): Record<string, string> {
  const { home } = useTemporaryHome()
  const file = statePaths(home).gpuWorkers
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return gpuKeyVariables(home, environment)
}

test('a manager gets the variables that hold keys of GPU workers, and no others', () => {
  const url = 'http://127.0.0.1:1'
  const workers = {
    rig: { url, key: { env: 'RIG' } },
    file: { url, key: { file: '/OTHER' } },
    none: { url },
    unset: { url, key: { env: 'MISSING' } },
    mark: { url, key: { env: 'NIGHTKILN_FENCE' } },
  }
  expect(variablesWith(JSON.stringify({ workers }))).toEqual({ RIG: 'canary-1' })
})

test.each(['', '{', 'null', '{"workers":[{"key":{"env":"RIG"}}', '{"workers":{"a":null}}'])('%j names none', (text) => {
  expect(variablesWith(text)).toEqual({})
})

test('no file names none', () => {
  expect(gpuKeyVariables(useTemporaryHome().home, environment)).toEqual({})
})
