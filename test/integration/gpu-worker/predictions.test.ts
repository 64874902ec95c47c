import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { healthCheck, prediction } from '../../../src/domain/wire/prediction.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { sleepInput, useWorker, writeHandler } from './worker-harness.ts'

const counting = (file: string) => `
import { appendFileSync } from 'node:fs'
import { defineHandler, z } from 'nightkiln/handler'
export default defineHandler({
  type: 'counting', title: 'Count', description: 'Writes a line each time it runs.', gpu: 'prefer',
  params: z.object({ n: z.number() }), result: z.json(),
  async run(context) {
    appendFileSync(${JSON.stringify(file)}, 'ran\\n')
    console.log('größe ' + context.params.n)
    context.progress(1, 2, 'half', 'first')
    context.reportDevice('a processor', 'cpu')
    await context.artifact('note.txt', 'hello', 'text/plain')
    return { n: context.params.n, seed: context.seed, compute: context.compute, job: context.jobId, unit: context.unit ?? null }
  },
})
`

async function useCounting() {
  const { home } = useTemporaryHome()
  const file = join(home, 'ran.txt')
  writeHandler(home, 'counting', counting(file))
  const served = await useWorker({ home })
  const runs = () => readFileSync(file, 'utf8').trim().split('\n').length
  const input = (more: object = {}) => sleepInput(0, { type: 'counting', params: { n: 7 }, ...more })
  return { ...served, runs, input }
}

describe('a prediction', () => {
  test('is taken, runs with what its unit says, and is told whole', async () => {
    const { put, untilEnded, ask, input } = await useCounting()
    const taken = await put('p1', input({ unit: { x: 1 } }), { lease: 30 })
    expect(taken.status).toBe(202)
    expect(prediction.parse(taken.body)).toMatchObject({ id: 'p1', attempt_token: 'token-1', status: 'processing' })
    const ended = await untilEnded('p1')
    expect(ended).toMatchObject({
      status: 'succeeded',
      output: { n: 7, compute: 'cpu', job: 'job-1', unit: { x: 1 } },
      device: { name: 'a processor', kind: 'cpu' },
      metrics: { progress: { current: 1, total: 2, message: 'half', stage: 'first' } },
      logs: 'größe 7\n',
      error: null,
      lease_expires_in_ms: null,
    })
    expect(ended.artifacts).toMatchObject([{ name: 'note.txt', media_type: 'text/plain', bytes: 5 }])
    expect((await ask(`/files/${ended.artifacts[0]?.sha256}`)).body).toBe('hello')
  })

  test('is run once, whatever is repeated', async () => {
    const { put, untilEnded, runs, input, ask } = await useCounting()
    const answers = await Promise.all([put('p1', input()), put('p1', input()), put('p1', input())])
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202])
    const ended = await untilEnded('p1')
    const again = await put('p1', input())
    expect(again).toMatchObject({ status: 200, body: { status: 'succeeded', completed_at: ended.completed_at } })
    expect(runs()).toBe(1)
    const other = await put('p1', input({ params: { n: 8 } }))
    expect(other).toMatchObject({ status: 422, body: { code: 'input_differs' } })
    const { type, ...rest } = input() as { type: string }
    expect((await put('p1', { ...rest, type })).status).toBe(200)
    expect((await ask('/predictions/p1')).body.output).toMatchObject({ n: 7 })
    expect(runs()).toBe(1)
  })

  test('has the seed that it was sent with, and the parameters of its own even when a job id is used twice', async () => {
    const { put, untilEnded, input } = await useCounting()
    await put('p1', input({ seed: 42 }))
    await put('p2', input({ params: { n: 8 } }))
    expect((await untilEnded('p1')).output).toMatchObject({ n: 7, seed: 42 })
    expect((await untilEnded('p2')).output).toMatchObject({ n: 8 })
  })

  test('is refused for a type, version or input that is not known', async () => {
    const { put, ask } = await useWorker()
    expect(await put('p1', sleepInput(0, { type: 'nothing' }))).toMatchObject({
      status: 422,
      body: { code: 'unknown_type' },
    })
    expect(await put('p1', sleepInput(0, { version: '9' }))).toMatchObject({
      status: 422,
      body: { code: 'unknown_version', detail: '"sleep" is here in version "1", not "9"' },
    })
    expect(await put('p1', sleepInput(0, { unit_id: '../../x' }))).toMatchObject({ status: 422 })
    expect(await put('p1', sleepInput(0), { body: { id: 'p2', input: sleepInput(0) } })).toMatchObject({ status: 422 })
    expect(await put('p1', {}, { body: '{"input":' })).toMatchObject({ status: 400, body: { code: 'bad_request' } })
    expect(await put('p1', {}, { body: 'x'.repeat(2 * 1024 * 1024) })).toMatchObject({ status: 413 })
    expect(await put('p1', sleepInput(0), { headers: { 'worker-lease': '0' } })).toMatchObject({ status: 400 })
    expect((await ask('/predictions/p1')).status).toBe(404)
  })

  test('of a type that reads the files or the network of the machine is not served', async () => {
    const { ask } = await useWorker()
    const { job_types: types } = healthCheck.parse((await ask('/health-check')).body)
    expect(Object.keys(types)).toContain('sleep')
    expect(Object.keys(types)).not.toContain('http')
    expect(Object.keys(types)).not.toContain('checksum_tree')
  })

  test('waits for no slot: without one it is refused, and told when to come again', async () => {
    const { put, ask } = await useWorker({ slots: 1 })
    expect((await put('p1', sleepInput(60))).status).toBe(202)
    const busy = await put('p2', sleepInput(60))
    expect(busy).toMatchObject({ status: 409, body: { code: 'busy' } })
    expect(Number(busy.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await ask('/health-check')).body).toMatchObject({ status: 'BUSY', slots: { total: 1, free: 0 } })
    expect((await put('p1', sleepInput(60))).status).toBe(202)
  })

  test('is cancelled on request, with the checkpoint it had', async () => {
    const { put, look, ask, untilEnded } = await useWorker()
    await put('p1', sleepInput(60))
    await waitUntil(async () => (await look('p1')).checkpoint, { what: 'a checkpoint' })
    expect((await ask('/predictions/p1/cancel', { method: 'POST' })).status).toBe(200)
    const ended = await untilEnded('p1')
    expect(ended).toMatchObject({ status: 'canceled', error: null, checkpoint: { format: 'sleep/1' } })
    expect((await ask('/predictions/p1/cancel', { method: 'POST' })).body.status).toBe('canceled')
    expect((await put('p1', sleepInput(60))).status).toBe(200)
  })

  test('goes on from the checkpoint it is sent with, and numbers its own above that', async () => {
    const { put, look, untilEnded } = await useWorker()
    const resume = { format: 'sleep/1', seq: 41, inline: { slept_s: 58 } }
    await put('p1', sleepInput(60, { resume }))
    const seen = await waitUntil(async () => (await look('p1')).checkpoint, { what: 'a checkpoint' })
    expect(seen.seq).toBeGreaterThan(41)
    expect((await untilEnded('p1')).status).toBe('succeeded')
  })

  test('is refused with a number of a checkpoint beyond which nothing can be counted', async () => {
    const { put } = await useWorker()
    const resume = { format: 'sleep/1', seq: Number.MAX_SAFE_INTEGER, inline: { slept_s: 0 } }
    const { status, body } = await put('p1', sleepInput(1, { resume }))
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'bad_request' })
  })

  test('starts from zero when the checkpoint has an unknown format, and says so in its log', async () => {
    const { put, untilEnded, ask } = await useWorker()
    const resume = { format: 'größe/9', seq: 3, inline: { slept_s: 100 } }
    await put('p1', sleepInput(0.1, { resume }))
    const { logs, logs_total: total } = await untilEnded('p1')
    expect(logs).toContain('"größe/9"')
    expect(logs).toContain('starts from zero')
    expect(total).toBe(Buffer.byteLength(logs))
    const rest = (await ask(`/predictions/p1?logs_from=11`)).body
    expect(rest.logs).toBe(Buffer.from(logs).subarray(11).toString())
    expect(rest.logs_next).toBe(total)
  })

  test('that fails says why, by the codes of the protocol', async () => {
    const { put, untilEnded } = await useWorker()
    await put('p1', sleepInput(0, { params: { seconds: 0, fail_with: 'no luck' } }))
    expect(await untilEnded('p1')).toMatchObject({
      status: 'failed',
      error_code: 'HANDLER_ERROR',
      error: expect.stringContaining('no luck'),
      retry: 'policy',
    })
    await put('p2', sleepInput(0, { params: { seconds: 'x' } }))
    expect(await untilEnded('p2')).toMatchObject({ error_code: 'BAD_INPUT', retry: 'never' })
    await put('p3', sleepInput(60, { timeout_ms: 200 }))
    expect(await untilEnded('p3')).toMatchObject({ error_code: 'TIMEOUT' })
  })

  test('is forgotten when it is deleted, and ended before when it runs', async () => {
    const { put, ask, untilEnded, look } = await useWorker({ slots: 1 })
    await put('p1', sleepInput(0))
    await untilEnded('p1')
    expect((await ask('/predictions/p1', { method: 'DELETE' })).status).toBe(204)
    expect((await ask('/predictions/p1')).status).toBe(404)
    expect((await ask('/predictions/p1', { method: 'DELETE' })).status).toBe(404)
    await put('p2', sleepInput(60))
    await look('p2')
    expect((await ask('/predictions/p2', { method: 'DELETE' })).status).toBe(204)
    expect((await ask('/predictions/p2')).status).toBe(404)
    await waitUntil(async () => (await ask('/health-check')).body.slots.free === 1, { what: 'a free slot' })
  })
})
