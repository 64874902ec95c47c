import pino from 'pino'
import { expect, test } from 'vitest'
import type { CommandExecutor, CommandTask } from '../../../src/domain/ports/executor.ts'
import { AttemptSupervisor } from '../../../src/manager/runtime/attempt-supervisor.ts'
import { CommandAttempts } from '../../../src/manager/runtime/command-attempts.ts'
import { DependencyValues } from '../../../src/manager/runtime/dependency-values.ts'
import { newJob } from '../../support/new-job.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { openQueue } from './queue-under-test.ts'

test('a job that is frozen while the results for its final step are written starts that step frozen', async () => {
  const { store, commits, clock } = openQueue()
  store.registerWorker({ id: 'w', kind: 'command', name: 'w', pid: 1, slots: 2 }, clock.now(), clock.now() + 60_000)
  const submitted = store.submitJob(
    newJob(clock.now(), 'frozen', {
      context: { environment: {}, cwd: '/' },
      finalStep: { unitId: '01a00000-0000-7000-8000-000000000001', params: { argv: ['true'] } },
    }),
  )
  if (submitted.kind !== 'created') throw new Error(submitted.kind)
  const claim = () =>
    store.claimUnitsIfDue({
      jobId: submitted.job.id,
      limitKey: null,
      limit: 1,
      workerId: 'w',
      executor: 'command',
      mode: 'local',
      nonce: 'n',
      now: clock.now(),
    })
  const [unit] = claim().units
  if (unit === undefined) throw new Error('nothing to claim')
  const fence = { unitId: unit.id, attempt: unit.attempt, nonce: unit.nonce, workerId: 'w' }
  const facts = { exitCode: 0, error: null, elapsedMs: 1, outputBytes: 0, droppedBytes: 0, now: clock.now() }
  store.completeUnitIfHeld(fence, null, facts)
  const { units, job } = claim()
  const [step] = units
  if (step?.finalStep !== true || job === null) throw new Error('no final step')

  let written: (file: string) => void = () => undefined
  const started: boolean[] = []
  const executor = { start: (task: CommandTask) => started.push(task.frozen) } as unknown as CommandExecutor
  const supervisor = new AttemptSupervisor({
    store,
    commits,
    clock,
    random: () => 0,
    log: pino({ level: 'silent' }),
    starters: new Map([
      ['command', new CommandAttempts({ store, executor, dependencies: new DependencyValues(store) })],
    ]),
    writeResults: () =>
      new Promise((resolve) => {
        written = resolve
      }),
    resultsFileOf: () => 'results',
    onStarted: () => undefined,
    checkpointFormatOf: () => null,
    onEnded: () => undefined,
    lookAgain: () => Promise.resolve(),
  })
  supervisor.start('command', [{ unit: step, job }])
  const paused = store.pauseJob(job.id, true, clock.now())
  if (paused.kind !== 'changed') throw new Error(paused.kind)
  for (const held of paused.held) supervisor.freeze(held.fence.unitId)
  written('results')
  await waitUntil(() => started.length === 1, { what: 'the final step' })
  expect(started).toEqual([true])
})
