import { type Check, demand, NotApplicable } from '../check.ts'
import { type Probe, sha256Of } from '../probe.ts'

const someFile = `/files/${sha256Of(Buffer.from('conformance'))}`

function keyOf(probe: Probe): string {
  if (probe.key === null) throw new NotApplicable('no key was given: --key-file')
  return probe.key
}

/** Same length: a comparison that only looks at that is caught. */
function wrongKey(key: string): string {
  return `${key.slice(0, -1)}${key.endsWith('x') ? 'y' : 'x'}`
}

export const keyChecks: readonly Check[] = [
  {
    name: 'key/missing',
    title: 'without a key everything but GET / is refused with 401',
    why: 'Whoever reaches the port could compute, read results and cancel.',
    async run(probe) {
      keyOf(probe)
      for (const [method, path] of [
        ['GET', '/health-check'],
        ['GET', '/predictions/x'],
        ['POST', '/predictions/x/cancel'],
        ['DELETE', '/predictions/x'],
      ] as const) {
        probe.refused(await probe.ask({ method, path, key: null }), [401, 403], 'key_refused')
      }
    },
  },
  {
    name: 'key/wrong',
    title: 'a wrong key is refused, whatever it looks like',
    why: 'A comparison by length or by beginning lets keys be guessed.',
    async run(probe) {
      const key = keyOf(probe)
      for (const wrong of [wrongKey(key), `${key}x`, key.slice(0, -1), '']) {
        probe.refused(await probe.ask({ method: 'GET', path: '/predictions/x', key: wrong }), [401, 403], 'key_refused')
      }
    },
  },
  {
    name: 'key/put-runs-nothing',
    title: 'a PUT that is refused for its key makes no prediction',
    why: 'A refusal after the start would compute for strangers.',
    async run(probe) {
      const key = keyOf(probe)
      const id = probe.newId()
      const body = JSON.stringify({ id, input: await probe.input({ seconds: 0 }) })
      probe.refused(await probe.put(id, body, 60, wrongKey(key)), [401, 403], 'key_refused')
      probe.refused(await probe.ask({ method: 'GET', path: `/predictions/${id}` }), [404], 'not_found')
    },
  },
  {
    name: 'key/files',
    title: 'files need the key too',
    why: 'Inputs and results lie there, and anybody could fill the disk.',
    async run(probe) {
      keyOf(probe)
      probe.refused(await probe.ask({ method: 'GET', path: someFile, key: null }), [401, 403], 'key_refused')
      const put = await probe.ask({ method: 'PUT', path: someFile, key: null, body: 'conformance' })
      probe.refused(put, [401, 403], 'key_refused')
    },
  },
  {
    name: 'key/not-told',
    title: 'no refusal repeats a key',
    why: 'Answers end up in logs.',
    async run(probe) {
      const wrong = wrongKey(keyOf(probe))
      const { body, headers } = await probe.ask({ method: 'GET', path: '/predictions/x', key: wrong })
      const told = `${JSON.stringify(headers)}${body.toString('utf8')}`
      demand(!told.includes(wrong), 'an answer without the key that was sent', 'the answer repeats it')
    },
  },
]
