import { expect, test } from 'vitest'
import { type EndedJob, playStory } from './run-example.ts'

interface Unit {
  readonly state: string
  readonly attempts: number
  readonly failures: number
  readonly untrusted_input: string
  readonly attempt_history: readonly { readonly outcome: string; readonly exit_code: number | null }[]
}

interface Facts {
  readonly ended: EndedJob
  readonly units: readonly Unit[]
  readonly connections: readonly number[]
  readonly manifest: {
    readonly files: readonly { readonly resumed_at: number }[]
    readonly missing: readonly string[]
  }
}

test('downloads resume after a kill, retry what may pass and nothing else, within the limits of each host', async () => {
  const { facts, lines } = await playStory<Facts>('4-downloads')
  const unitOf = (path: string) => facts.units.find((unit) => unit.untrusted_input.includes(path))
  const attemptsOf = (file: string) => lines('ledger').filter(([, path]) => path?.endsWith(file)).length

  expect(facts.ended).toMatchObject({
    state: 'completed_with_failures',
    counts: { total: 21, completed: 20, failed: 1 },
  })
  expect(unitOf('/big.bin')?.attempt_history.map(({ outcome }) => outcome)).toEqual(['lost', 'completed'])
  expect(unitOf('/shaky.bin')?.attempt_history.map(({ exit_code }) => exit_code)).toEqual([75, 75, 0])
  expect(unitOf('/rotten.bin')?.attempt_history.map(({ exit_code }) => exit_code)).toEqual([65, 0])
  expect(unitOf('/gone.bin')).toMatchObject({ state: 'failed', attempts: 1, failures: 1 })
  expect(['0-big.bin', '1-shaky.bin', '1-rotten.bin', 'gone.bin', 'part-4.bin'].map(attemptsOf)).toEqual([
    2, 3, 2, 1, 1,
  ])
  expect(Math.max(...facts.connections)).toBeLessThanOrEqual(2)
  expect(facts.manifest.files.filter((file) => file.resumed_at > 0)).toHaveLength(1)
  expect(facts.manifest.missing).toHaveLength(1)
})
