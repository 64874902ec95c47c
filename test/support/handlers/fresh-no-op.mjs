import { defineHandler, z } from '../../../dist/handler/index.js'

export default defineHandler({
  type: 'fresh-no-op',
  title: 'No operation',
  description: 'Does nothing, in a thread of its own.',
  params: z.object({}),
  unit: z.object({ n: z.number() }).optional(),
  result: z.object({ n: z.number() }),
  run: ({ unit }) => ({ n: unit?.n ?? 0 }),
})
