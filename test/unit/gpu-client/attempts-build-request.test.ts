import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonObject } from '../../../src/domain/job.ts'
import type { RemoteTask } from '../../../src/domain/ports/remote-executor.ts'
import { inlineBytes, predictionRequest } from '../../../src/domain/wire/prediction.ts'
import { buildRequest } from '../../../src/gpu-client/attempts/build-request.ts'
import { seedOfUnit } from '../../../src/platform/unit-seed.ts'

const task = (changes: Partial<RemoteTask> = {}): RemoteTask => ({
  type: 'sum',
  version: '1',
  gpuMemoryMegabytes: null,
  pure: false,
  fence: { unitId: 'u-1', attempt: 3, nonce: 'abc', workerId: 'w' },
  jobId: 'j',
  params: {},
  unit: undefined,
  position: 0,
  dependencies: {},
  checkpoint: null,
  checkpointFormat: 'sum/1',
  onLeaseEnd: 'cancel',
  fallback: null,
  unitTimeoutMs: null,
  idleTimeoutMs: null,
  cancelGraceMs: 3_000,
  maxOutputBytes: 1_000,
  elapsedMs: 0,
  earlierRestarts: 0,
  directory: '/nowhere',
  ...changes,
})

test('the same task gives the same bytes, which the schema takes', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (params, unit) => {
      // No job has it: it is refused at submit.
      fc.pre(!JSON.stringify([params, unit]).includes('__proto__'))
      const given = task({ params: params as JsonObject, unit: JSON.parse(JSON.stringify(unit)) })
      const { body, files } = buildRequest(given, 'id-1')
      expect(buildRequest(structuredClone(given), 'id-1')).toEqual({ body, files })
      expect(() => predictionRequest.parse(JSON.parse(body))).not.toThrow()
    }),
  )
})

test('it says which attempt it is, and the seed of its unit', () => {
  const { input } = JSON.parse(buildRequest(task(), 'id-1').body)
  expect(input).toMatchObject({ attempt: 3, attempt_token: 'abc.3', unit_id: 'u-1', seed: seedOfUnit('u-1') })
  expect('unit' in input).toBe(false)
})

test('numbers of checkpoints grow over the attempts of a unit', () => {
  const seqOf = (attempt: number): number => {
    const fence = { unitId: 'u', attempt, nonce: 'n', workerId: 'w' }
    const given = task({ fence, checkpoint: { format: 'sum/1', state: 1 } })
    return JSON.parse(buildRequest(given, 'id').body).input.resume.seq
  }
  expect(seqOf(2) - seqOf(1)).toBeGreaterThan(1_000_000)
})

test('input beyond the limit travels as a file under its hash', () => {
  const { body, files } = buildRequest(task({ params: { table: 'ü'.repeat(inlineBytes / 2) } }), 'id-1')
  const [file] = files
  expect(files).toHaveLength(1)
  expect(JSON.parse(body)).toEqual({ id: 'id-1', input_sha256: file?.sha256 })
  expect(
    createHash('sha256')
      .update(file?.bytes ?? '')
      .digest('hex'),
  ).toBe(file?.sha256)
})
