import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { handOver, hostItem, hostJob, startHost } from '../../support/host-client.ts'
import { waitUntil } from '../../support/wait-until.ts'

const misbehave = (how: string, changes = {}) => hostJob('misbehave.mjs', { how }, changes)

test.each([
  ['throw_error', 'handler_failed', 'out of range (the cause)', 'policy'],
  ['throw_undefined', 'handler_failed', 'the handler threw undefined', 'policy'],
  ['throw_object', 'handler_failed', "the handler threw { why: 'just so' }", 'policy'],
  ['reject', 'handler_rejected', 'bad input', 'never'],
  ['retry', 'handler_failed', 'later', { afterMs: 1_234 }],
  ['unhandled_rejection', 'handler_failed', 'a promise was rejected and nobody waited for it: nobody waits', 'policy'],
  ['throw_in_timer', 'handler_failed', 'an error that nobody caught: from a timer', 'policy'],
  ['exit', 'handler_failed', 'the handler called process.exit(3)', 'policy'],
  ['exit_later', 'handler_failed', 'the handler called process.exit(4)', 'policy'],
  ['abort', 'handler_failed', 'process.abort() is not supported in workers', 'policy'],
] as const)('a handler that does %s fails, and says why', async (how, code, message, retry) => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  for (const reusable of [false, true]) {
    const item = handOver(manager, misbehave(how, { handler: { reusable } }))
    const end = await manager.end(item.key, 'failed')
    expect({ code: end.error.code, message: end.error.message, retry: end.retry }).toEqual({ code, message, retry })
    expect(end.error.remedy).not.toBe('')
    expect(JSON.stringify(end.error)).not.toContain('node:internal')
  }
  // The host and its only place for a thread are as good as before.
  await manager.end(handOver(manager, misbehave('nothing')).key, 'completed')
})

test('an error keeps its name and the line of the handler; its stack stands in the log', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const job = misbehave('throw_error')
  const item = handOver(manager, job)
  const { error } = await manager.end(item.key, 'failed')
  const lines = readFileSync(job.handler.file, 'utf8').split('\n')
  const line = lines.findIndex((one) => one.includes("new RangeError('out of range'")) + 1
  expect(error.details).toEqual({ name: 'RangeError', at: `${job.handler.file}:${line}:11` })
  expect(host.output(item)).toContain('RangeError: out of range\n    at ')
})

test('a handler that was told to slow down says for how long', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const item = handOver(manager, misbehave('rate_limited'))
  expect(await manager.end(item.key, 'rate_limited')).toMatchObject({ waitMs: 5_678, message: 'told to slow down' })
})

test.each([
  [{ count: 'many' }, { file: 'a' }, 'params.count'],
  [{ count: 1 }, { file: 7 }, 'unit.file'],
  [{}, undefined, 'params.count'],
])('params %j and unit %j that do not fit are refused for good', async (params, unit, path) => {
  const host = await startHost()
  const manager = await host.connect()
  const item = handOver(manager, hostJob('checked.mjs', params as never), unit === undefined ? {} : { unit })
  const end = await manager.end(item.key, 'failed')
  expect(end).toMatchObject({ error: { code: 'handler_rejected' }, retry: 'never' })
  expect(end.error.message).toContain(path)
})

test('a handler gets what it was given, with defaults, and a checkpoint only when it fits', async () => {
  const host = await startHost()
  const manager = await host.connect()
  const job = hostJob('checked.mjs', { count: 1 }, { dependencies: { first: { id: 'x' } }, environment: { A: 'b' } })
  const checkpoint = { version: 2, at: 5 }
  const given = { unit_id: 'unit-known', attempt: 3, position: 9, results_file: '/some/file', unit: { file: 'f' } }
  const item = handOver(manager, job, { ...given, checkpoint })
  const echo = {
    params: { count: 1, name: 'nobody' },
    unit: { file: 'f' },
    position: 9,
    attempt: 3,
    unitId: 'unit-known',
    seed: createHash('sha256').update('unit-known').digest().readUInt32BE(0),
    environment: { A: 'b' },
    dependencies: { first: { id: 'x' } },
    resultsFile: '/some/file',
    lastCheckpoint: checkpoint,
  }
  expect((await manager.end(item.key, 'completed')).result).toEqual({ echo })

  const stale = handOver(manager, job, { unit: { file: 'f' }, checkpoint: { version: 1 } })
  const end = await manager.end(stale.key, 'completed')
  expect(end.result).toMatchObject({ echo: { lastCheckpoint: null } })
  expect(end.output.tail).toContain('checkpoint.version')
})

test.each([
  ['broken.mjs', 'broken at its top level'],
  ['no-handler.mjs', 'default export'],
  ['missing.mjs', 'missing.mjs'],
  ['exits-when-loaded.mjs', 'called process.exit(7) while it was loaded'],
])('the file %s cannot be used, and the attempt says why', async (file, text) => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  for (let round = 0; round < 2; round++) {
    const item = handOver(manager, hostJob(file))
    // The manager looks at the handlers then: what is broken for a moment fails nothing.
    const end = await manager.end(item.key, 'released')
    expect(end).toMatchObject({ backOff: false, unavailable: true })
    expect(end.message).toContain('its handler could not be loaded: ')
    expect(end.message).toContain(text)
  }
  await manager.end(handOver(manager, misbehave('nothing')).key, 'completed')
})

test('what an attempt leaves behind in a reusable thread goes into its own log, and the next is in another thread', async () => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const job = misbehave('unit', { params: { how: 'nothing' }, handler: { reusable: true } })
  const [late, next, last] = ['late_throw', 'wait', 'nothing'].map((how) => hostItem({ unit: { how } }))
  if (late === undefined || next === undefined || last === undefined) throw new Error('three items')
  manager.send({ kind: 'job', job }, { kind: 'run', job_key: job.job_key, items: [late, next, last] })
  expect((await manager.end(late.key, 'completed')).result).toBe('fine')
  expect((await manager.end(next.key, 'completed')).result).toBe('waited')
  await manager.end(last.key, 'completed')
  await waitUntil(() => host.output(late).includes('after the attempt had ended: Error: too late'))
  await waitUntil(() => host.read('log').includes('a thread is replaced'))
})

test('what an attempt leaves behind may not end another as its failure', async () => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const job = misbehave('unit', { params: { how: 'nothing' }, handler: { reusable: true } })
  const [late, next] = ['late_exit', 'wait'].map((how) => hostItem({ unit: { how } }))
  if (late === undefined || next === undefined) throw new Error('two items')
  manager.send({ kind: 'job', job }, { kind: 'run', job_key: job.job_key, items: [late, next] })
  await manager.end(late.key, 'completed')
  expect((await manager.end(next.key, 'released')).message).toContain('an earlier attempt')
})

test('an end is told while the next attempt in the same thread takes its time', async () => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const job = misbehave('unit', { params: { how: 'nothing' }, handler: { reusable: true } })
  const [, first, long] = ['nothing', 'nothing', 'cooperative'].map((how) => hostItem({ unit: { how } }))
  if (first === undefined || long === undefined) throw new Error('three items')
  manager.send({ kind: 'job', job }, { kind: 'run', job_key: job.job_key, items: [first, long] })
  await manager.end(first.key, 'completed')
  expect(manager.ends(long.key)).toEqual([])
  manager.send({ kind: 'stop', key: long.key, reason: 'cancel' })
  await manager.end(long.key, 'stopped')
})

test('an end that is lost with a thread, which another attempt had to be stopped in, is no failure', async () => {
  const host = await startHost({ threads: 1 })
  const manager = await host.connect()
  const job = misbehave('unit', { params: { how: 'nothing' }, handler: { reusable: true }, unit_timeout_ms: 500 })
  const items = ['nothing', 'nothing', 'loop'].map((how) => hostItem({ unit: { how } }))
  manager.send({ kind: 'job', job }, { kind: 'run', job_key: job.job_key, items })
  const [one, other, loop] = items
  await manager.end(loop?.key ?? '', 'timed_out')
  for (const item of [one, other]) {
    await waitUntil(() => manager.ends(item?.key ?? '').length > 0, { what: 'its end' })
    expect(manager.ends(item?.key ?? '').map(({ kind }) => kind)).not.toContain('failed')
  }
})

test.each(['change_something', 'change_everything'])(
  'a handler that does %s in its thread changes nobody else',
  async (how) => {
    const host = await startHost({ threads: 1 })
    const manager = await host.connect()
    const changed = handOver(manager, misbehave(how))
    await waitUntil(() => manager.ends(changed.key).length > 0, { what: 'its one end' })
    const item = handOver(manager, misbehave('see_world'))
    expect((await manager.end(item.key, 'completed')).result).toEqual({
      evil: null,
      environment: null,
      changed: null,
      json: '{"a":["1"]}',
    })
    expect(manager.ends(changed.key)).toHaveLength(1)
  },
)
