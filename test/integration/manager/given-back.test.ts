import pino from 'pino'
import { expect, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import type { AttemptStarter, Beginning } from '../../../src/manager/runtime/attempt-starter.ts'
import { AttemptSupervisor } from '../../../src/manager/runtime/attempt-supervisor.ts'
import { newJob } from '../../support/new-job.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { openQueue } from './queue-under-test.ts'

function openSupervisor(start: (beginnings: readonly Beginning[]) => void) {
  const { store, commits, clock } = openQueue()
  store.registerWorker({ id: 'w', kind: 'thread', name: 'w', pid: 1, slots: 1 }, clock.now(), clock.now() + 60_000)
  const job = newJob(clock.now(), 'job', {})
  store.submitJob(job)
  const looks: string[] = []
  const starter = { start: (_job: unknown, _payload: unknown, given: readonly Beginning[]) => start(given) }
  const supervisor = new AttemptSupervisor({
    store,
    commits,
    clock,
    random: () => 0,
    log: pino({ level: 'silent' }),
    starters: new Map([['thread', { ...starter, acknowledge: () => undefined } as unknown as AttemptStarter]]),
    writeResults: () => Promise.reject(new Error('no final step')),
    resultsFileOf: () => 'results',
    onStarted: () => undefined,
    checkpointFormatOf: () => null,
    onEnded: () => undefined,
    lookAgain: () => {
      looks.push(store.readUnits(job.id, { limit: 1 })[0]?.state ?? 'gone')
      return Promise.resolve()
    },
  })
  let nonce = 0
  /** Starts the unit. @returns how its attempt ended, and how the unit is */
  const attempt = async () => {
    const claimed = { jobId: job.id, limitKey: null, limit: 1, workerId: 'w', nonce: `n${nonce++}` }
    const run = { executor: 'thread', mode: 'local', now: clock.now() } as const
    const claim = store.claimUnitsIfDue({ ...claimed, ...run })
    const [unit] = claim.units
    if (unit === undefined || claim.job === null) throw new Error('nothing to claim')
    supervisor.start('thread', [{ unit, job: claim.job }])
    await waitUntil(() => supervisor.running === 0, { what: 'the end' })
    const state = store.readUnits(job.id, { limit: 1 })[0]?.state
    return { state, last: store.readAttempts(unit.id).at(-1) }
  }
  return { attempt, looks }
}

test.each(['storage_busy', 'storage_full', 'outcome_unknown'] as const)(
  'a unit that cannot be started because of %s is given back',
  async (code) => {
    const { attempt } = openSupervisor(() => {
      throw new QueueError(code, 'not now')
    })
    const { state, last } = await attempt()
    expect(state).toBe('available')
    expect(last).toMatchObject({ outcome: 'released', error: { message: 'not now' } })
  },
)

test('what will not pass fails', async () => {
  const { attempt } = openSupervisor(() => {
    throw new QueueError('invalid_input', 'never')
  })
  expect(await attempt()).toMatchObject({ state: 'failed', last: { outcome: 'failed' } })
})

test('a unit whose handler is gone is given back once the handlers were looked at, and fails in the end', async () => {
  const { attempt, looks } = openSupervisor(() => {
    throw new QueueError('handler_unavailable', 'its handler could not be loaded: it is gone')
  })
  for (let round = 0; round < 4; round += 1) {
    const { state, last } = await attempt()
    expect(state).toBe('available')
    expect(last).toMatchObject({ outcome: 'released', error: { code: 'handler_unavailable' } })
  }
  // Before anybody could claim it again.
  expect(looks).toEqual(['running', 'running', 'running', 'running'])
  const { state, last } = await attempt()
  expect(state).toBe('failed')
  expect(last).toMatchObject({ error: { code: 'handler_unavailable' } })
  expect(last?.error?.message).toContain('it is gone (5 times in a row)')
}, 20_000)
