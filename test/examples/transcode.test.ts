import { expect, test } from 'vitest'
import { countOf, type EndedJob, playStory } from './run-example.ts'

interface Facts {
  readonly progress: { readonly total: number; readonly percent: number }
  readonly clips: EndedJob
  readonly film: EndedJob
}

test('transcoding is frozen over a restart of the manager, goes on without a second start, and cancels cleanly', async () => {
  const { facts, lines, text } = await playStory<Facts>('2-transcode')
  const starts = countOf(lines('ledger').map((words) => words.join(' ')))
  const started = ['beach', 'boat', 'dog', 'hike'].map((clip) => [`started ${clip}.mov`, 1] as const)

  expect(Object.fromEntries(starts)).toEqual(
    Object.fromEntries([...started, ['skipped cake.mov', 1], ['started film.mkv', 1]]),
  )
  expect(facts.progress.total).toBe(60)
  expect(facts.clips).toMatchObject({ state: 'completed', counts: { total: 5, completed: 5 } })
  expect(facts.film.state).toBe('cancelled')
  expect(text('out/beach.mp4')).toHaveLength('moving pictures '.length * 600)
  expect(text('out/cake.mp4')).toBe('made last year')
  expect(() => text('out/film.mp4')).toThrow('ENOENT')
})
