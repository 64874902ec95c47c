import { existsSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { defineHandler, z } from '../../../dist/handler/index.js'

/** Keeps files of every kind, and tries what may not be. */
export default defineHandler({
  type: 'artifacts',
  title: 'Artifacts',
  description: 'Keeps files.',
  params: z.object({}),
  result: z.any(),
  async run({ artifact, temporaryFile }) {
    const text = await artifact('a.txt', 'grüße')
    const bytes = await artifact('b.bin', new Uint8Array([0, 255]))
    const stream = await artifact('c.log', Readable.from(['one\n', Buffer.from('two\n')]), 'text/x-log')
    const made = temporaryFile('made')
    writeFileSync(made, 'moved')
    const file = await artifact('d', { file: made })
    const refused = []
    for (const name of ['../up', '', 'a/b', '..', 'a.txt', 'result.json', 'n\0ul', 'x'.repeat(300)]) {
      refused.push(await artifact(name, '').then(String, (error) => `${error.name}: ${error.message}`))
    }
    const broken = (async function* () {
      yield 'half'
      throw new Error('the stream broke')
    })()
    const half = await artifact('half.txt', broken).then(String, (error) => error.message)
    // Nobody waits for this one; it is kept all the same.
    void artifact('late.txt', 'late')
    return { kept: [text, bytes, stream, file], madeIsLeft: existsSync(made), refused, half }
  },
})
