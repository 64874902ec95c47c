import { defineHandler, z } from '../../../dist/handler/index.js'

/** Shows what it was given, checked. */
export default defineHandler({
  type: 'checked',
  title: 'Checked',
  description: 'Gives back what it was given.',
  params: z.object({ count: z.number().int(), name: z.string().default('nobody') }),
  unit: z.object({ file: z.string() }).optional(),
  result: z.object({ echo: z.any(), even: z.boolean().optional() }),
  checkpoint: z.object({ version: z.literal(2), at: z.number() }),
  run(ctx) {
    if (ctx.params.name === 'odd') return { echo: null, even: 'no' }
    const { params, unit, position, attempt, unitId, seed, environment, dependencies, resultsFile, lastCheckpoint } =
      ctx
    return {
      echo: { params, unit, position, attempt, unitId, seed, environment, dependencies, resultsFile, lastCheckpoint },
    }
  },
})
