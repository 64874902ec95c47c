import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { SubmitInput } from '../../src/domain/wire/submit.ts'
import type { UnitView } from '../../src/domain/wire/units.ts'
import { stretched } from '../support/machine-speed.ts'
import { shareHandlerHome } from './support-handlers/handler-home.ts'
import { moodySource } from './support-handlers/moody-source.ts'

const shared = shareHandlerHome({}, async (home) => {
  home.write('moody.mjs', moodySource)
  // The host is there, and its threads are warm.
  await home.endOf(await submit([{ name: 'warm', moods: [] }]))
})

interface Unit {
  readonly name: string
  readonly host?: string
  readonly moods: string[]
}

const ledger = () => join(shared().work, 'moody.ledger')

function submit(units: Unit[], more: Partial<SubmitInput> = {}): Promise<string> {
  return shared().submit('moody', { ledger: ledger() }, { units: units.map((unit) => ({ ...unit })), ...more })
}

/** When the attempts of a unit began, wall ms. */
function startsOf(name: string): readonly number[] {
  return readFileSync(ledger(), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => Number(line.split(' ')[2]))
}

async function unitsOf(id: string): Promise<readonly UnitView[]> {
  return (await shared().client.call('list_units', { id, detail: 'full' })).units
}

async function onlyUnit(id: string): Promise<UnitView> {
  const [unit] = await unitsOf(id)
  if (unit === undefined) throw new Error(`${id} has no unit`)
  return unit
}

const outcomes = (unit: UnitView) => (unit.attempt_history ?? []).map(({ outcome }) => outcome)

test('RateLimited holds the lane of its key and no other, and counts as no failure', async () => {
  const units = [
    { name: 'told', host: 'slow', moods: ['limited'] },
    { name: 'behind', host: 'slow', moods: [] },
    { name: 'elsewhere', host: 'quick', moods: [] },
  ]
  const id = await submit(units, { per_key: { key: '{{unit.host}}', concurrency: 1 } })
  const job = await shared().endOf(id)
  expect(job.state, job.why).toBe('completed')
  const [told, behind] = await unitsOf(id)
  const [begun = 0, again = 0] = startsOf('told')
  const waits = [again, ...startsOf('behind')].map((at) => at - begun)
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_200)
  expect(Math.max(...waits)).toBeLessThan(1_200 + (await stretched(1_000)))
  expect((startsOf('elsewhere')[0] ?? 0) - begun).toBeLessThan(1_200)
  expect([told?.failures, behind?.failures]).toEqual([0, 0])
  const [first] = told?.attempt_history ?? []
  expect(first).toMatchObject({ outcome: 'rate_limited', error: { code: 'rate_limited' } })
  expect(first?.error?.message).toBe('told to slow down: the site said 429; waits 1.2 s')
})

test('Reject is never tried again, whatever max_attempts says', async () => {
  const job = await shared().endOf(await submit([{ name: 'bad', moods: ['reject'] }], { max_attempts: 3 }))
  expect(job).toMatchObject({
    state: 'failed',
    attempts: 1,
    error: { code: 'handler_rejected', message: 'page 7 has no text' },
  })
  expect(startsOf('bad').length).toBe(1)
})

test('Retry is tried again when its time has come, and not before', async () => {
  const id = await submit([{ name: 'later', moods: ['retry'] }], { max_attempts: 2, backoff: { initial_s: 60 } })
  const job = await shared().endOf(id)
  expect(job).toMatchObject({ state: 'completed', attempts: 2 })
  const unit = await onlyUnit(id)
  expect(outcomes(unit)).toEqual(['failed', 'completed'])
  expect(unit.failures).toBe(1)
  expect(unit.attempt_history?.[0]?.error?.message).toBe('the site is asleep')
  const [first = 0, second = 0] = startsOf('later')
  expect(second - first).toBeGreaterThanOrEqual(700)
  expect(second - first).toBeLessThan(700 + (await stretched(1_000)))
})

test('what is thrown is tried again by the backoff, with the checkpoint of the attempt before', async () => {
  const id = await submit([{ name: 'thrower', moods: ['throw', 'throw'] }], {
    max_attempts: 3,
    backoff: { initial_s: 0.1, factor: 1 },
  })
  const job = await shared().endOf(id)
  expect(job).toMatchObject({ state: 'completed', attempts: 3, result: { before: 2 } })
  const unit = await onlyUnit(id)
  expect(outcomes(unit)).toEqual(['failed', 'failed', 'completed'])
  expect(unit.failures).toBe(2)
  expect(unit.attempt_history?.[0]?.error).toMatchObject({
    code: 'handler_failed',
    message: 'out of range (7 > 5)',
  })
  const { untrusted_output: log } = await shared().client.call('job_logs', { id, attempt: 1 })
  expect(log).toContain('nightkiln: the handler failed: RangeError: out of range')
  expect(log).toContain('moody.mjs')
})

test('when its attempts are spent it fails, and the last error is told', async () => {
  const id = await submit([{ name: 'hopeless', moods: ['throw', 'throw', 'throw'] }], {
    max_attempts: 2,
    backoff: { initial_s: 0.1 },
  })
  const job = await shared().endOf(id)
  expect(job).toMatchObject({ state: 'failed', attempts: 2, error: { code: 'handler_failed' } })
  expect(job.why).toBe('failed after 2 attempts: out of range (7 > 5)')
})

test('files that it made are listed with the result, and lie where it says', async () => {
  const id = await submit([{ name: 'maker', moods: ['artifact'] }])
  await shared().endOf(id)
  const { artifacts, result } = await shared().client.call('job_result', { id })
  expect(result).toMatchObject({ before: null })
  expect(artifacts.map(({ name, media_type: type, bytes }) => [name, type, bytes])).toEqual([
    ['photo.bin', 'application/octet-stream', 3],
    ['report.csv', 'text/csv', 8],
  ])
  for (const { path, sha256 } of artifacts) {
    expect(existsSync(path)).toBe(true)
    expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(sha256)
  }
  const report = await shared().client.call('job_result', { id, artifact: 'report.csv' })
  expect(report.untrusted_artifact_text).toBe('a,b\n1,2\n')
})
