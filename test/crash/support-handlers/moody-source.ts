/**
 * Source of the job type `moody`: does what its unit asks for, attempt by attempt, and notes when: unit, attempt, wall ms. Its
 * checkpoint is the number of attempts before.
 */
export const moodySource = `
import { appendFileSync } from 'node:fs'
import { defineHandler, RateLimited, Reject, Retry, z } from 'nightkiln/handler'

export default defineHandler({
  type: 'moody',
  title: 'Moody',
  description: 'Ends its attempts as it is told.',
  params: z.object({ ledger: z.string() }),
  unit: z.object({ name: z.string(), host: z.string().optional(), moods: z.array(z.string()) }),
  result: z.object({ before: z.int().nullable() }),
  async run({ params, unit, attempt, lastCheckpoint, checkpoint, artifact }) {
    appendFileSync(params.ledger, [unit.name, attempt, Date.now()].join(' ') + '\\n')
    checkpoint({ attempts: attempt })
    switch (unit.moods[attempt - 1]) {
      case 'limited': throw new RateLimited(1_200, 'the site said 429')
      case 'reject': throw new Reject('page 7 has no text')
      case 'retry': throw new Retry(700, 'the site is asleep')
      case 'throw': throw new RangeError('out of range', { cause: new Error('7 > 5') })
      case 'artifact':
        await artifact('report.csv', 'a,b\\n1,2\\n')
        await artifact('photo.bin', new Uint8Array([1, 2, 3]))
    }
    return { before: lastCheckpoint?.attempts ?? null }
  },
})
`
