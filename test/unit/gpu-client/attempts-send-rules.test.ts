import { describe, expect, test } from 'vitest'
import { decideSend, noTries, type SendDecision, type SendTries } from '../../../src/gpu-client/attempts/send-rules.ts'
import { defaultAttemptTimings as timings } from '../../../src/gpu-client/attempts/timings.ts'
import { WorkerFault, type WorkerFaultKind } from '../../../src/gpu-client/worker-client.ts'

const decide = (
  kind: WorkerFaultKind,
  tries: Partial<SendTries> = {},
  code = 'CODE',
  retryAfterMs: number | null = null,
): SendDecision =>
  decideSend(
    new WorkerFault(kind, code, 'text', { retryAfterMs }),
    { ...noTries, ...tries },
    { random: () => 0.5, timings },
  )

const back: SendDecision = { kind: 'return' }
const surely: SendDecision = { kind: 'wind_down', surely: true }
const lightly: SendDecision = { kind: 'wind_down', surely: false }

/** gpu-offload.md 3.4, for a request of which nothing is known to run. */
const fresh: readonly (readonly [WorkerFaultKind, Partial<SendTries>, SendDecision])[] = [
  ['not_sent', {}, { kind: 'again', afterMs: 250 }],
  ['not_sent', { notSent: 1 }, { kind: 'again', afterMs: 500 }],
  ['not_sent', { notSent: 2 }, back],
  ['busy', {}, { kind: 'again', afterMs: 2_000 }],
  ['busy', { waitedMs: 59_000 }, back],
  ['slow_down', {}, { kind: 'again', afterMs: 2_000 }],
  ['slow_down', { waitedMs: 58_001 }, back],
  ['server_error', {}, { kind: 'again', afterMs: 250 }],
  ['server_error', { serverErrors: 1 }, lightly],
  ['ambiguous', {}, { kind: 'ask' }],
  ['protocol', {}, { kind: 'ask' }],
  ['key_refused', {}, back],
  ['key_missing', {}, back],
  ['tls', {}, back],
  ['rejected', {}, { kind: 'fail' }],
  ['not_served', {}, { kind: 'next_worker' }],
  ['file_missing', {}, { kind: 'again', afterMs: 0 }],
  ['file_missing', { filesAgain: 1 }, back],
]

test.each(fresh)('%s after %j', (kind, tries, decision) => {
  expect(decide(kind, tries)).toEqual(decision)
})

describe('once it may run there', () => {
  const mayRun = { mayRun: true }

  test.each(['key_refused', 'key_missing', 'tls', 'rejected', 'not_served'] as const)('%s waits for it', (kind) => {
    expect(decide(kind, mayRun)).toEqual(surely)
  })

  test('what never arrives is asked about', () => {
    expect(decide('not_sent', mayRun)).toEqual({ kind: 'ask' })
  })

  test('a worker that stays busy, or fails, is waited for', () => {
    expect(decide('busy', { ...mayRun, waitedMs: 60_000 })).toEqual(surely)
    expect(decide('server_error', { ...mayRun, serverErrors: 1 })).toEqual(surely)
  })
})

test.each(['HTTP_502', 'HTTP_504'])('%s leaves it open whether it runs', (code) => {
  const tries = { ...noTries }
  decideSend(new WorkerFault('slow_down', code, 'text'), tries, { random: () => 0, timings })
  expect(tries.mayRun).toBe(true)
})

test.each(['REDIRECT', 'HTTP_404', 'HTTP_405'])('%s says that nothing was done', (code) => {
  expect(decide('protocol', {}, code)).toEqual(lightly)
})

test('a worker is waited for as long as it says, and no longer than a minute in all', () => {
  expect(decide('slow_down', {}, 'HTTP_429', 60_000)).toEqual({ kind: 'again', afterMs: 60_000 })
  expect(decide('slow_down', {}, 'HTTP_429', 60_001)).toEqual(back)
  expect(decide('busy', { waitedMs: 40_000 }, 'BUSY', 20_001)).toEqual(back)
})

test('no number of tries in a row goes beyond the bounds', () => {
  for (const kind of ['not_sent', 'busy', 'slow_down', 'server_error', 'file_missing'] as const) {
    const tries = { ...noTries }
    let again = 0
    for (;;) {
      const decision = decideSend(new WorkerFault(kind, 'CODE', 'text', { retryAfterMs: 0 }), tries, {
        random: () => 0,
        timings,
      })
      if (decision.kind !== 'again') break
      again += 1
      expect(again, kind).toBeLessThan(200)
    }
  }
})
