import { defineHandler, z } from '../../../dist/handler/index.js'

/** Does nothing, thousands of times a second. */
export default defineHandler({
  type: 'no-op',
  title: 'No operation',
  description: 'Does nothing.',
  params: z.object({}),
  unit: z.object({ n: z.number() }),
  result: z.object({ n: z.number() }),
  reusable: true,
  run: ({ unit }) => ({ n: unit.n }),
})
