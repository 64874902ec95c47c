import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isAlive } from '../../support/proc.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { sleepInput, useWorker } from './worker-harness.ts'

const program = `#!/usr/bin/env node
const { spawn } = require('node:child_process')
const { writeFileSync } = require('node:fs')
let text = ''
process.stdin.setEncoding('utf8').on('data', (piece) => { text += piece }).on('end', () => {
  const request = JSON.parse(text)
  const say = (message) => console.log(JSON.stringify(message))
  console.log('begun with ' + process.argv[2] + ' ' + process.env.OWN)
  console.error('a warning')
  if (request.params.fail) { console.log('the last words'); process.exit(3) }
  say({ device: { name: 'Tesla T0', kind: 'gpu' } })
  say({ progress: { current: 1, total: 4, message: 'one', stage: 'first' } })
  say({ checkpoint: { done: 1 } })
  if (request.params.hang) {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    writeFileSync(request.params.hang, child.pid + ' ' + process.pid)
    return setInterval(() => {}, 1000)
  }
  if (!request.params.silent) say({ result: { request } })
})
`

async function useProgram(gpu = true) {
  const { home } = useTemporaryHome()
  const file = join(home, 'program.cjs')
  writeFileSync(file, program)
  chmodSync(file, 0o700)
  const commands = join(home, 'commands.json')
  const template = {
    argv: [file, 'an argument'],
    version: '2',
    checkpoint_format: 'steps/1',
    gpu,
    env: { OWN: 'value' },
  }
  writeFileSync(commands, JSON.stringify({ stepping: template }))
  const served = await useWorker({ home, commands })
  const input = (params: object, more: object = {}) =>
    sleepInput(0, { type: 'stepping', version: '2', params, ...more })
  return { ...served, input }
}

test('a declared program serves a job type: its messages are the answer, the rest is its log', async () => {
  const { put, untilEnded, input, ask } = await useProgram()
  expect((await ask('/health-check')).body.job_types.stepping).toEqual({
    version: '2',
    checkpoint_format: 'steps/1',
    gpu: false,
  })
  const resume = { format: 'steps/1', seq: 4, inline: { done: 0 } }
  await put('p1', input({ a: 1 }, { unit: 'u', seed: 99, resume }))
  const ended = await untilEnded('p1')
  expect(ended).toMatchObject({
    status: 'succeeded',
    output: {
      request: { params: { a: 1 }, unit: 'u', seed: 99, attempt: 1, resume: { done: 0 }, compute: 'cpu' },
    },
    device: { name: 'Tesla T0', kind: 'gpu' },
    checkpoint: { format: 'steps/1', seq: 5, inline: { done: 1 } },
    metrics: { progress: { current: 1, total: 4, message: 'one', stage: 'first' } },
  })
  expect(ended.logs).toContain('begun with an argument value\n')
  expect(ended.logs).toContain('a warning\n')
  expect(ended.logs).not.toContain('"checkpoint"')
})

test('its failure is told with its last lines, and so is an end without a result', async () => {
  const { put, untilEnded, input } = await useProgram()
  await put('p1', input({ fail: true }))
  const failed = await untilEnded('p1')
  expect(failed).toMatchObject({ status: 'failed', error_code: 'HANDLER_ERROR' })
  expect(failed.error).toContain('exited 3')
  expect(failed.error).toContain('the last words')
  await put('p2', input({ silent: true }))
  expect((await untilEnded('p2')).error).toContain('ended without a {"result": …} line')
})

test('a cancel ends it with all that it started', async () => {
  const { put, untilEnded, input, home, ask, look } = await useProgram()
  const file = join(home, 'pids')
  await put('p1', input({ hang: file }, { cancel_grace_ms: 100 }))
  await waitUntil(() => existsSync(file) && readFileSync(file, 'utf8').includes(' '), { what: 'the program' })
  const pids = readFileSync(file, 'utf8').split(' ').map(Number)
  await waitUntil(async () => (await look('p1')).checkpoint, { what: 'a checkpoint' })
  await ask('/predictions/p1/cancel', { method: 'POST' })
  expect(await untilEnded('p1')).toMatchObject({ status: 'canceled', checkpoint: { inline: { done: 1 } } })
  await waitUntil(() => pids.every((pid) => !isAlive(pid)), { what: 'all processes gone' })
})

test('a client cannot say what is run', async () => {
  const { put, untilEnded, input } = await useProgram()
  const evil = { argv: ['/bin/false'], env: { OWN: 'evil' }, cwd: '/' }
  await put('p1', input({ ...evil, request: evil }))
  const ended = await untilEnded('p1')
  expect(ended.status).toBe('succeeded')
  expect(ended.logs).toContain('begun with an argument value\n')
  expect(await put('p2', input({}, { type: 'command_template' }))).toMatchObject({ status: 422 })
})

test.each([
  ['no JSON', '{', 'it is not JSON'],
  ['a relative program', '{"a":{"argv":["x"]}}', 'a.argv: the program must be an absolute path'],
  ['an unknown word', '{"a":{"argv":["/x"],"shell":true}}', 'shell'],
  ['a reserved type', '{"command":{"argv":["/x"]}}', '"command" cannot be declared'],
])('a file of commands with %s is refused', async (_, text, why) => {
  const { home } = useTemporaryHome()
  const commands = join(home, 'commands.json')
  writeFileSync(commands, text)
  await expect(useWorker({ home, commands })).rejects.toThrow(why)
})
