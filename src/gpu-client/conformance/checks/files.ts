import { randomBytes } from 'node:crypto'
import { type Check, demand, demandSame } from '../check.ts'
import { brief, sha256Of } from '../probe.ts'

const someBytes = 300 * 1024

export const fileChecks: readonly Check[] = [
  {
    name: 'files/round-trip',
    title: 'HEAD 404, PUT, HEAD 200 with the length, GET the same bytes',
    why: 'Inputs and results over 256 KiB travel as files; HEAD saves sending them twice.',
    async run(probe) {
      const bytes = randomBytes(someBytes)
      const path = `/files/${sha256Of(bytes)}`
      probe.refused(await probe.ask({ method: 'HEAD', path }), [404])
      const put = await probe.putFile(bytes)
      demand([200, 201, 204].includes(put.status), 'PUT: HTTP 201', brief(put))
      const head = await probe.ask({ method: 'HEAD', path })
      demandSame('HEAD', [head.status, head.headers['content-length']], [200, String(bytes.length)])
      const got = await probe.ask({ method: 'GET', path })
      demandSame('GET', [got.status, sha256Of(got.body)], [200, sha256Of(bytes)])
    },
  },
  {
    name: 'files/repeat',
    title: 'the same file may be sent again',
    why: 'The answer to the first PUT may have been lost.',
    async run(probe) {
      const bytes = randomBytes(1_000)
      await probe.putFile(bytes)
      const again = await probe.putFile(bytes)
      demand([200, 201, 204].includes(again.status), 'PUT again: HTTP 200, 201 or 204', brief(again))
    },
  },
  {
    name: 'files/wrong-hash',
    title: 'bytes with another SHA-256 than the address are refused, and not kept',
    why: 'A file that was damaged on the way would be computed with.',
    async run(probe) {
      const promised = sha256Of(randomBytes(100))
      const answer = await probe.putFile(randomBytes(100), promised)
      probe.refused(answer, [400, 422], 'hash_differs')
      probe.refused(await probe.ask({ method: 'HEAD', path: `/files/${promised}` }), [404])
    },
  },
  {
    name: 'files/no-hash',
    title: 'addresses that are no SHA-256 are refused',
    why: 'Names become paths.',
    async run(probe) {
      for (const name of ['x', '..%2F..%2Fescape', 'A'.repeat(64), '0'.repeat(63)]) {
        const answer = await probe.ask({ method: 'PUT', path: `/files/${name}`, body: 'x' })
        demand(answer.status >= 400 && answer.status < 500, `PUT /files/${name}: HTTP 4xx`, brief(answer))
      }
    },
  },
  {
    name: 'files/input',
    title: 'input_sha256 names a file with the input',
    why: 'It is how inputs over 256 KiB arrive.',
    async run(probe) {
      const id = probe.newId()
      const input = Buffer.from(JSON.stringify(await probe.input({ seconds: 0, params: { result: 'from a file' } })))
      await probe.putFile(input)
      const body = JSON.stringify({ id, input_sha256: sha256Of(input) })
      await probe.startWith(id, body)
      const done = await probe.untilEnded(id)
      demandSame('output', done.output, 'from a file')
      demandSame(
        'created_at of a repeat',
        probe.prediction(await probe.put(id, body), [200]).created_at,
        done.created_at,
      )
    },
  },
  {
    name: 'files/missing',
    title: 'a file that is not there is file_missing, and nothing runs',
    why: 'The manager sends the file, and then the same PUT again.',
    async run(probe) {
      const id = probe.newId()
      const body = JSON.stringify({ id, input_sha256: sha256Of(randomBytes(100)) })
      probe.refused(await probe.put(id, body, 60), [404, 422, 424], 'file_missing')
      probe.refused(await probe.ask({ method: 'GET', path: `/predictions/${id}` }), [404], 'not_found')
    },
  },
]
