import { describe, expect, test } from 'vitest'
import { implementations } from './support/implementations.ts'
import { artifact, claim, facts, jobIdOf, newJob, start, submit, wrongFences } from './support/jobs.ts'

describe.each(implementations)('$name: recordArtifactsIfHeld', ({ open }) => {
  test('keeps what is said of each file, with the attempt that made it', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    const report = { name: 'Übersicht.html', mediaType: 'text/html', bytes: 0, sha256: '0f'.repeat(32) }
    expect(store.recordArtifactsIfHeld(fence, [report, artifact('b.bin', 2 ** 40)])).toBe(true)
    store.completeUnitIfHeld(fence, null, facts())
    const { unitId, attempt, nonce } = fence
    const of = { unitId, attempt, nonce, position: 0 }
    expect(store.readArtifacts(jobIdOf(1), { limit: 9 })).toEqual([
      { ...of, ...artifact('b.bin', 2 ** 40) },
      { ...of, ...report },
    ])
  })

  test('a further call adds, and replaces what has the same name', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    store.recordArtifactsIfHeld(fence, [artifact('a', 1), artifact('b', 1)])
    store.recordArtifactsIfHeld(fence, [artifact('b', 2), artifact('c', 2)])
    store.completeUnitIfHeld(fence, null, facts())
    const kept = store.readArtifacts(jobIdOf(1), { limit: 9 })
    expect(kept.map(({ name, bytes }) => [name, bytes])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 2],
    ])
  })

  test('keeps nothing for a wrong fence nor after the end, and writes no event', () => {
    const { store } = open()
    submit(store, newJob(1))
    const { fence } = claim(store, jobIdOf(1))
    const events = store.lastEventId()
    for (const [what, wrong] of wrongFences(fence)) {
      expect(store.recordArtifactsIfHeld(wrong, [artifact('stolen')]), what).toBe(false)
      expect(store.recordArtifactsIfHeld(wrong, []), what).toBe(false)
    }
    expect(store.recordArtifactsIfHeld(fence, [])).toBe(true)
    expect(store.lastEventId()).toBe(events)
    store.completeUnitIfHeld(fence, null, facts({ now: start }))
    expect(store.recordArtifactsIfHeld(fence, [artifact('late')])).toBe(false)
    expect(store.readArtifacts(jobIdOf(1), { limit: 9 })).toEqual([])
  })
})
