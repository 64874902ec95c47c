import { defineHandler, z } from '../../../dist/handler/index.js'

const { log: print } = console

/** Uses everything once. */
export default defineHandler({
  type: 'normal',
  title: 'Normal',
  description: 'Uses everything once.',
  params: z.object({ name: z.string(), times: z.number().default(3) }),
  unit: z.object({ n: z.number() }).optional(),
  result: z.object({ text: z.string(), seed: z.number(), from: z.number() }),
  checkpoint: z.object({ at: z.number() }),
  async run(ctx) {
    const { params, unit, progress, checkpoint, log, artifact, cancellation } = ctx
    const from = ctx.lastCheckpoint?.at ?? 0
    log.info('begins', { from })
    for (let at = from; at < params.times; at++) {
      progress(at + 1, params.times, `step ${at + 1}`)
      checkpoint({ at: at + 1 })
      await cancellation.wait(1)
    }
    print('from the console')
    process.stderr.write('from stderr\n')
    await artifact('hello.txt', `hello ${params.name}`)
    return { text: `hello ${params.name} ${unit?.n ?? 'no unit'}`, seed: ctx.seed, from }
  },
})
