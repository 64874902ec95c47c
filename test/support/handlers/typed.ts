import { defineHandler, z } from '../../../src/handler/index.ts'
import { double } from './typed-part.ts'

/** A handler in TypeScript, with an import in TypeScript. */
export default defineHandler({
  type: 'typed',
  title: 'Typed',
  description: 'Doubles a number, or fails in a known line.',
  params: z.object({ fail: z.boolean().default(false) }),
  unit: z.object({ n: z.number() }),
  result: z.object({ n: z.number() }),
  run({ params, unit }): { n: number } {
    if (params.fail) throw new RangeError('too typed')
    return { n: double(unit.n) }
  },
})
