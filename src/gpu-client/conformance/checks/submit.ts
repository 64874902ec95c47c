import { type Check, demand, demandSame } from '../check.ts'
import { brief, type Probe } from '../probe.ts'

async function unknown(probe: Probe, id: string): Promise<void> {
  probe.refused(await probe.ask({ method: 'GET', path: `/predictions/${id}` }), [404], 'not_found')
}

export const submitChecks: readonly Check[] = [
  {
    name: 'submit/accepted',
    title: 'PUT /predictions/{id} answers 202 with the prediction',
    why: 'The manager goes on from this answer; it must be the object that GET gives.',
    async run(probe) {
      const { id, prediction } = await probe.start({ seconds: 30 })
      demandSame('id', prediction.id, id)
      demand(['starting', 'processing'].includes(prediction.status), 'starting or processing', prediction.status)
    },
  },
  {
    name: 'submit/token-echoed',
    title: 'every answer carries the attempt_token of the input',
    why: 'An answer for another attempt must not be taken for this one.',
    async run(probe) {
      const { id, body, prediction } = await probe.start({ seconds: 30 })
      const { input } = JSON.parse(body) as { input: { attempt_token: string } }
      demandSame('attempt_token of PUT', prediction.attempt_token, input.attempt_token)
      demandSame('attempt_token of GET', (await probe.look(id)).attempt_token, input.attempt_token)
      const cancelled = probe.prediction(await probe.cancel(id), [200])
      demandSame('attempt_token of cancel', cancelled.attempt_token, input.attempt_token)
    },
  },
  {
    name: 'submit/boot-id',
    title: 'predictions carry the boot_id of the health check',
    why: 'The manager tells a restart by it.',
    async run(probe) {
      const { prediction } = await probe.start({ seconds: 0 })
      demandSame('boot_id', prediction.boot_id, (await probe.health()).boot_id)
    },
  },
  {
    name: 'submit/repeat-while-running',
    title: 'the same PUT while it runs answers 202 and starts nothing',
    why: 'A manager whose answer was lost asks again with the same id: the job must not run twice.',
    async run(probe) {
      const { id, body } = await probe.start({ seconds: 30 })
      const first = await probe.until(id, (seen) => seen.started_at !== null, 'a start')
      const again = probe.prediction(await probe.put(id, body, 60), [202])
      demandSame('created_at', again.created_at, first.created_at)
      demandSame('started_at', again.started_at, first.started_at)
    },
  },
  {
    name: 'submit/repeat-after-end',
    title: 'the same PUT after the end answers 200 with the stored result',
    why: 'This is what makes a PUT safe to repeat at any time; Cog would run it again.',
    async run(probe) {
      const { id, body } = await probe.start({ seconds: 0, params: { result: { stored: true } } })
      const first = await probe.untilEnded(id)
      const again = probe.prediction(await probe.put(id, body, 60), [200])
      for (const field of ['status', 'created_at', 'started_at', 'completed_at', 'output'] as const) {
        demandSame(field, again[field], first[field])
      }
      demandSame('status afterwards', (await probe.look(id)).completed_at, first.completed_at)
    },
  },
  {
    name: 'submit/other-input',
    title: 'the same id with another input is refused with 422 and harms nothing',
    why: 'Two jobs under one id: one of them would get the result of the other.',
    async run(probe) {
      const { id, prediction } = await probe.start({ seconds: 30 })
      const other = JSON.stringify({ id, input: await probe.input({ seconds: 29 }) })
      probe.refused(await probe.put(id, other, 60), [422], 'input_differs')
      const still = await probe.look(id)
      demandSame('attempt_token', still.attempt_token, prediction.attempt_token)
      demand(['starting', 'processing'].includes(still.status), 'the first one still running', brief(still))
    },
  },
  {
    name: 'submit/other-id',
    title: 'a body with another id than the path is refused with 422',
    why: 'A mixed-up request must not run under the wrong id.',
    async run(probe) {
      const [id, other] = [probe.newId(), probe.newId()]
      const body = JSON.stringify({ id: other, input: await probe.input({ seconds: 0 }) })
      probe.refused(await probe.put(id, body, 60), [422])
      await unknown(probe, id)
      await unknown(probe, other)
    },
  },
  {
    name: 'submit/unknown-type',
    title: 'an unknown job type is refused with 422 unknown_type',
    why: 'The manager then tries the next worker: it is no failure of the job.',
    async run(probe) {
      const id = probe.newId()
      const input = await probe.input({ seconds: 0, input: { type: 'no_such_type_here' } })
      probe.refused(await probe.put(id, JSON.stringify({ id, input }), 60), [422], 'unknown_type')
      await unknown(probe, id)
    },
  },
  {
    name: 'submit/unknown-version',
    title: 'another version of the job type is refused with 422 unknown_version',
    why: 'The same words may mean something else there; the manager tries the next worker.',
    async run(probe) {
      const id = probe.newId()
      const input = await probe.input({ seconds: 0, input: { version: 'no-such-version' } })
      probe.refused(await probe.put(id, JSON.stringify({ id, input }), 60), [422], 'unknown_version')
      await unknown(probe, id)
    },
  },
  {
    name: 'submit/malformed',
    title: 'a body that is no JSON, or half of one, is refused with 400 or 422',
    why: 'A broken connection must not start half a job, and must not look like a fault of the worker.',
    async run(probe) {
      const whole = JSON.stringify({ input: await probe.input({ seconds: 0 }) })
      for (const body of ['', '{', whole.slice(0, -2), 'null', '[]', '"text"', Buffer.from([0xff, 0xfe, 0x00])]) {
        const id = probe.newId()
        probe.refused(await probe.put(id, body, 60), [400, 422])
        await unknown(probe, id)
      }
    },
  },
  {
    name: 'submit/missing-fields',
    title: 'an input without its fields is refused with 400 or 422',
    why: 'The refusal says what is wrong before anything runs.',
    async run(probe) {
      const input = await probe.input({ seconds: 0 })
      for (const field of ['type', 'version', 'params', 'attempt_token', 'seed'] as const) {
        const id = probe.newId()
        const { [field]: _, ...rest } = input
        probe.refused(await probe.put(id, JSON.stringify({ id, input: rest }), 60), [400, 422])
      }
    },
  },
  {
    name: 'submit/hostile-keys',
    title: 'keys such as __proto__ in the parameters do no harm',
    why: 'Parameters come from strangers; a worker that trips over them stops serving.',
    async run(probe) {
      const id = probe.newId()
      const input = JSON.stringify(await probe.input({ seconds: 0 }))
      const hostile = input.replace('"params":{', '"params":{"__proto__":{"x":1},"constructor":{"prototype":{}},')
      const { status } = await probe.put(id, `{"id":"${id}","input":${hostile}}`, 60)
      demand(status === 202 || status === 422 || status === 400, 'HTTP 202, 400 or 422', status)
      await probe.health()
    },
  },
]
