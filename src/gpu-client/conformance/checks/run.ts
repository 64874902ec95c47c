import type { Prediction } from '../../../domain/wire/prediction.ts'
import { type Check, demand, demandSame, NotApplicable } from '../check.ts'
import { brief, ended, jsonOf, sha256Of } from '../probe.ts'

const nested = { text: 'Größe ✓ 🎛', list: [1, 2.5, null, true], deep: { empty: {}, none: [] } }

/** @returns the hash of the artifact that stands in for a large result, as it does in the queue itself. */
function artifactOf({ output, artifacts }: Prediction): string | undefined {
  const name = typeof output === 'object' && output !== null && 'artifact' in output ? output['artifact'] : undefined
  return artifacts.find((artifact) => artifact.name === name)?.sha256
}

export const runChecks: readonly Check[] = [
  {
    name: 'run/output',
    title: 'the output comes back as JSON, unchanged',
    why: 'It is the result of the job.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 0, params: { result: nested } })
      const done = await probe.untilEnded(id)
      demand(done.status === 'succeeded', 'succeeded', brief(done))
      demandSame('output', done.output, nested)
    },
  },
  {
    name: 'run/times',
    title: 'created_at, started_at and completed_at are dates in that order',
    why: 'People see them, and the manager tells runs apart by them.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 0 })
      const { created_at, started_at, completed_at } = await probe.untilEnded(id)
      const times = [created_at, started_at, completed_at].map((time) =>
        time === null ? Number.NaN : Date.parse(time),
      )
      const inOrder = times.every((time, place) => time >= (times[place - 1] ?? 0))
      demand(inOrder, 'three dates in order', { created_at, started_at, completed_at })
    },
  },
  {
    name: 'run/progress',
    title: 'progress shows in metrics while it runs, and grows',
    why: 'Jobs without it look stuck, and the idle time limit ends them.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 30 })
      const first = await probe.until(id, (seen) => seen.metrics.progress !== null, 'progress')
      const before = first.metrics.progress?.current ?? 0
      demandSame('total', first.metrics.progress?.total, 30)
      const grown = (current: number | undefined): boolean => current !== undefined && current > before
      await probe.until(id, (seen) => grown(seen.metrics.progress?.current), `progress beyond ${before}`)
    },
  },
  {
    name: 'run/handler-error',
    title: 'a job that fails is HANDLER_ERROR with its message',
    why: 'It would fail here too: the manager does not fall back, and shows the message.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 0, params: { fail_with: 'conformance: as asked' } })
      const done = await probe.untilEnded(id)
      demandSame('error_code', done.error_code, 'HANDLER_ERROR')
      demandSame('status', done.status, 'failed')
      demand(done.error?.includes('conformance: as asked') === true, 'the message of the job in error', done.error)
    },
  },
  {
    name: 'run/bad-input',
    title: 'parameters that do not fit are BAD_INPUT or refused with 422',
    why: 'The same input would be refused anywhere: it is tried nowhere else.',
    async run(probe) {
      const id = probe.newId()
      const input = await probe.input({ seconds: 0, params: { seconds: 'soon' } })
      const answer = await probe.put(id, JSON.stringify({ id, input }), 60)
      if (answer.status === 422) return probe.refused(answer, [422], 'bad_request')
      probe.prediction(answer, [202])
      demandSame('error_code', (await probe.untilEnded(id)).error_code, 'BAD_INPUT')
    },
  },
  {
    name: 'run/time-limit',
    title: 'timeout_ms ends a run with TIMEOUT',
    why: 'The manager may be away when the time is up: the worker alone can end it.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 60, input: { timeout_ms: 1_000 } })
      const done = await probe.untilEnded(id, { lease: 60 })
      demandSame('error_code', done.error_code, 'TIMEOUT')
    },
  },
  {
    name: 'run/result-kept',
    title: 'a result stays after it was read',
    why: 'The answer may be lost on the way; the manager deletes the prediction when it has stored the result.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 0, params: { result: nested } })
      const first = await probe.untilEnded(id)
      demandSame('the same object', await probe.look(id), first)
    },
  },
  {
    name: 'run/delete',
    title: 'DELETE forgets a prediction: GET is 404 afterwards',
    why: 'Otherwise results pile up on the worker.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 0 })
      await probe.untilEnded(id)
      const deleted = await probe.ask({ method: 'DELETE', path: `/predictions/${id}` })
      demand([200, 204].includes(deleted.status), 'DELETE: HTTP 204', brief(deleted))
      probe.refused(await probe.ask({ method: 'GET', path: `/predictions/${id}` }), [404], 'not_found')
    },
  },
  {
    name: 'run/large-output',
    title: 'an output over 256 KiB comes back whole: inline, as a file or as an artifact',
    why: 'Answers have a limit; what is larger must not be cut.',
    async run(probe) {
      const large = 'x'.repeat(400 * 1024)
      const id = probe.newId()
      const input = Buffer.from(JSON.stringify(await probe.input({ seconds: 0, params: { result: large } })))
      await probe.putFile(input)
      await probe.startWith(id, JSON.stringify({ id, input_sha256: sha256Of(input) }))
      const done = await probe.untilEnded(id)
      demand(done.status === 'succeeded', 'succeeded', brief(done))
      if (done.output === large) return
      const hash = done.output_sha256 ?? artifactOf(done)
      demand(hash !== undefined, 'the whole output, output_sha256, or an artifact that the output names', brief(done))
      const file = await probe.ask({ method: 'GET', path: `/files/${hash}` })
      demandSame('SHA-256 of the file', sha256Of(file.body), hash)
      demand(jsonOf(file) === large, 'the output as JSON in the file', `${file.body.length} bytes of something else`)
    },
  },
  {
    name: 'run/logs-from',
    title: 'logs_from gives the log from that byte on, and the offsets add up',
    why: 'The manager reads the log piece by piece: a wrong offset repeats or loses lines.',
    async run(probe) {
      // A checkpoint that nobody knows is what every worker must write about.
      const resume = { format: 'conformance-größe/9', seq: 1, inline: {} }
      const { id } = await probe.start({ seconds: 0, input: { resume } })
      const whole = await probe.until(id, (seen) => ended.includes(seen.status), 'an end', { logsFrom: 0 })
      if (whole.logs_total === 0) throw new NotApplicable('the job type wrote no log')
      const bytes = Buffer.from(whole.logs)
      demandSame('logs_next', whole.logs_next, whole.logs_dropped + bytes.length)
      const half = whole.logs_dropped + (bytes.length >> 1)
      const rest = await probe.look(id, { logsFrom: half })
      demandSame('logs_total', rest.logs_total, whole.logs_total)
      demandSame('bytes after the half', rest.logs_next - half, whole.logs_next - half)
      const tail = bytes.subarray(bytes.length - 8).toString('utf8')
      demand(rest.logs.length < whole.logs.length && rest.logs.endsWith(tail), 'the second half of the log', rest.logs)
      const end = await probe.look(id, { logsFrom: whole.logs_total })
      demandSame('the log from its end on', [end.logs, end.logs_next], ['', whole.logs_total])
    },
  },
]
