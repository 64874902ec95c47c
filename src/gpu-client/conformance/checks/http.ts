import { type Check, demand } from '../check.ts'
import { brief } from '../probe.ts'

const tooManyBytes = 2 * 1024 * 1024 * 1024

export const httpChecks: readonly Check[] = [
  {
    name: 'http/too-large',
    title: 'a body that is declared too large is refused with 413',
    why: 'Without a limit one request fills the memory. Refusing at the declaration also saves the transfer.',
    async run(probe) {
      const path = `/predictions/${probe.newId()}`
      const headers = { 'content-type': 'application/json' }
      const answer = await probe.ask({ method: 'PUT', path, headers, body: '{"input":', declaredBytes: tooManyBytes })
      probe.refused(answer, [413], 'too_large')
    },
  },
  {
    name: 'http/problem-details',
    title: 'refusals are JSON with code and detail',
    why: 'The code decides what the manager does next; the detail is shown to people.',
    async run(probe) {
      const answer = await probe.ask({ method: 'GET', path: `/predictions/${probe.newId()}` })
      probe.refused(answer, [404], 'not_found')
      const type = answer.headers['content-type'] ?? 'none'
      demand(/^application\/(problem\+)?json\b/i.test(type), 'Content-Type application/problem+json', type)
    },
  },
  {
    name: 'http/unknown-id',
    title: 'an id that was never heard of is 404 everywhere',
    why: 'After 404 the manager knows that its PUT never arrived, and sends it again.',
    async run(probe) {
      const id = probe.newId()
      probe.refused(await probe.ask({ method: 'GET', path: `/predictions/${id}` }), [404], 'not_found')
      probe.refused(await probe.cancel(id), [404], 'not_found')
      const gone = await probe.ask({ method: 'DELETE', path: `/predictions/${id}` })
      demand([200, 204, 404].includes(gone.status), 'HTTP 404 (or 204: forgotten is forgotten)', brief(gone))
    },
  },
  {
    name: 'http/odd-ids',
    title: 'ids that are no ids are refused, never used as a path',
    why: 'Ids become file names: "../" must not lead out of the directory.',
    async run(probe) {
      const body = JSON.stringify({ input: await probe.input({ seconds: 0 }) })
      for (const id of [
        '..%2F..%2Fescape',
        '%2e%2e',
        'a%00b',
        'x'.repeat(300),
        '-leading',
        'a b'.replace(' ', '%20'),
      ]) {
        const answer = await probe.put(id, body, 60)
        demand(answer.status >= 400 && answer.status < 500, `PUT with the id ${id}: HTTP 4xx`, brief(answer))
      }
    },
  },
  {
    name: 'http/wrong-method',
    title: 'methods that a route does not have are refused with 404 or 405',
    why: 'What is not in the protocol must not do anything.',
    async run(probe) {
      const path = `/predictions/${probe.newId()}`
      for (const [method, at] of [
        ['POST', path],
        ['PATCH', path],
        ['GET', `${path}/cancel`],
        ['DELETE', '/health-check'],
      ] as const) {
        const answer = await probe.ask({ method, path: at })
        demand([404, 405].includes(answer.status), `${method} ${at}: HTTP 404 or 405`, brief(answer))
      }
    },
  },
  {
    name: 'http/unknown-route',
    title: 'addresses that do not exist are 404',
    why: 'A page that answers everything with 200 is no worker.',
    async run(probe) {
      const answer = await probe.ask({ method: 'GET', path: '/no/such/address' })
      probe.refused(answer, [404])
    },
  },
  {
    name: 'http/bad-offset',
    title: 'a logs_from that is no number does no harm',
    why: 'It must not end in an error of the worker.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 0 })
      for (const offset of ['-1', 'abc', '1e99', '']) {
        const { status } = await probe.ask({ method: 'GET', path: `/predictions/${id}?logs_from=${offset}` })
        demand(status === 200 || status === 400 || status === 422, `logs_from=${offset}: HTTP 200, 400 or 422`, status)
      }
    },
  },
]
