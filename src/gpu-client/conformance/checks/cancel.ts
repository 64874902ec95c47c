import { type Check, demandSame } from '../check.ts'

export const cancelChecks: readonly Check[] = [
  {
    name: 'cancel/ends',
    title: 'POST …/cancel ends a run as canceled within seconds',
    why: 'A cancelled job must free the GPU.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 60 })
      await probe.until(id, (seen) => seen.status === 'processing', 'a start')
      probe.prediction(await probe.cancel(id), [200])
      const done = await probe.until(id, (seen) => seen.completed_at !== null, 'an end', { timeoutMs: 10_000 })
      demandSame('status', done.status, 'canceled')
    },
  },
  {
    name: 'cancel/idempotent',
    title: 'a cancel may be repeated, before and after the end',
    why: 'Its answer may be lost; asking again must not be an error.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 60 })
      probe.prediction(await probe.cancel(id), [200])
      probe.prediction(await probe.cancel(id), [200])
      const first = await probe.untilEnded(id)
      const again = probe.prediction(await probe.cancel(id), [200])
      demandSame('status', again.status, 'canceled')
      demandSame('completed_at', again.completed_at, first.completed_at)
    },
  },
  {
    name: 'cancel/unknown',
    title: 'a cancel of an unknown id is 404',
    why: 'The manager then knows that nothing runs there.',
    async run(probe) {
      probe.refused(await probe.cancel(probe.newId()), [404], 'not_found')
    },
  },
  {
    name: 'cancel/too-late',
    title: 'a cancel after the end changes nothing',
    why: 'A result that is there must not be lost.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 0, params: { result: 'done' } })
      const first = await probe.untilEnded(id)
      const after = probe.prediction(await probe.cancel(id), [200])
      demandSame('status', after.status, 'succeeded')
      demandSame('output', after.output, first.output)
    },
  },
  {
    name: 'cancel/not-run-again',
    title: 'the same PUT after a cancel answers 200, canceled',
    why: 'A late repeat of the first PUT must not bring a cancelled job back.',
    async run(probe) {
      const { id, body } = await probe.start({ seconds: 60 })
      probe.prediction(await probe.cancel(id), [200])
      await probe.untilEnded(id)
      demandSame('status', probe.prediction(await probe.put(id, body, 60), [200]).status, 'canceled')
    },
  },
]
