import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { claim, facts, jobIdOf, newJob, submit, wrongFences } from './support/jobs.ts'

const runner = { pid: 4711, startTime: '123456', bootId: 'boot-a' }

describe.each(implementations)('$name: recordRunnerIfHeld', ({ open }) => {
  test('keeps who runs the attempt', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    expect(store.recordRunnerIfHeld(fence, runner)).toBe(true)
    expect(store.readAttempts(fence.unitId)[0]?.runner).toEqual(runner)
    expect(store.findHeldUnits({ limit: 10 })[0]?.runner).toEqual(runner)
  })

  test('changes nothing for a wrong fence or an ended attempt', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    for (const [what, wrong] of wrongFences(fence)) expect(store.recordRunnerIfHeld(wrong, runner), what).toBe(false)
    store.completeUnitIfHeld(fence, null, facts())
    expect(store.recordRunnerIfHeld(fence, runner)).toBe(false)
    expect(store.readAttempts(fence.unitId)[0]?.runner).toBeNull()
  })
})
