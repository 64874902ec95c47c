import { defineHandler, z } from '../../../dist/handler/index.js'

/** What all objects of its thread become as JSON, from then on. */
const spoiling = {
  nothing: () => undefined,
  number: () => 5,
  long() {
    return Array.isArray(this) ? ['x'.repeat(5 * 1024 * 1024)] : this
  },
}

/** Promises to leave everything as it was, and does not. */
export default defineHandler({
  type: 'spoils',
  title: 'Spoils',
  description: 'Changes built-in objects.',
  params: z.object({}),
  result: z.any(),
  reusable: true,
  async run({ unit, artifact }) {
    if (unit.spoil !== undefined)
      Object.defineProperty(Object.prototype, 'toJSON', { value: spoiling[unit.spoil], configurable: true })
    if (unit.name !== undefined) throw Object.assign(new Error('named'), { name: 'N'.repeat(unit.name) })
    if (unit.artifacts !== undefined)
      for (let at = 0; at < unit.artifacts; at += 1) await artifact(`${String(at).padStart(100, 'n')}.txt`, 'x')
    const refused = []
    for (const type of unit.types ?? [])
      refused.push(await artifact('typed.txt', 'x', type).then(String, (error) => `${error.name}: ${error.message}`))
    return unit.types === undefined ? null : refused
  },
})
