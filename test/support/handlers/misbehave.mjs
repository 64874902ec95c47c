import { execSync, spawn } from 'node:child_process'
import { writeFileSync, writeSync } from 'node:fs'
import { defineHandler, RateLimited, Reject, Retry, z } from '../../../dist/handler/index.js'

const long = 60_000
const forever = () => new Promise(() => {})
const kept = []
const { log: print } = console

/** Each of them does one thing that a handler should not do, or only seldom. */
const ways = {
  nothing: () => null,
  cooperative: ({ cancellation }) => cancellation.wait(long),
  async last_words({ signal, log }) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    log.info('cleaned up')
    return 'half of it'
  },
  see_flag({ cancellation }) {
    while (!cancellation.isCancelled);
    return null
  },
  ignore_abort: forever,
  loop() {
    for (;;);
  },
  regex: () => /^(a+)+$/.test(`${'a'.repeat(60)}b`),
  exec_sync: () => execSync('sleep 60'),
  async busy_progress({ progress }, { ms = 1_500 }) {
    const end = performance.now() + ms
    for (let at = 0; performance.now() < end; at++) progress(at)
    return null
  },
  silent_after_start: async ({ log }) => {
    log.info('begins')
    await forever()
  },

  exit: () => process.exit(3),
  async exit_later() {
    setTimeout(() => process.exit(4), 5)
    await forever()
  },
  abort: () => process.abort(),
  async kill(_ctx, { signal }) {
    process.kill(process.pid, signal)
    await forever()
  },
  heap() {
    for (;;) kept.push(Array.from({ length: 1_000 }, (_, at) => ({ at })))
  },
  async buffers({ cancellation }) {
    for (;;) {
      kept.push(Buffer.alloc(8 * 1024 * 1024, 1))
      await cancellation.wait(5)
    }
  },

  throw_error() {
    throw new RangeError('out of range', { cause: new Error('the cause') })
  },
  throw_undefined() {
    throw undefined
  },
  throw_object() {
    throw { why: 'just so' }
  },
  reject() {
    throw new Reject('bad input')
  },
  retry() {
    throw new Retry(1_234, 'later')
  },
  rate_limited() {
    throw new RateLimited(5_678)
  },
  async unhandled_rejection() {
    void Promise.reject(new TypeError('nobody waits'))
    await forever()
  },
  async throw_in_timer() {
    setTimeout(() => {
      throw new Error('from a timer')
    }, 5)
    await forever()
  },
  late_throw() {
    setTimeout(() => {
      throw new Error('too late')
    }, 20)
    return 'fine'
  },
  late_exit() {
    setTimeout(() => process.exit(5), 20)
    return 'fine'
  },
  async wait({ cancellation }, { ms = 200 }) {
    await cancellation.wait(ms)
    return 'waited'
  },

  change_something() {
    Object.prototype.evil = true
    process.env.CHANGED = 'yes'
    globalThis.changed = true
    return 'changed'
  },
  change_everything() {
    JSON.stringify = () => 'changed'
    JSON.parse = () => 'changed'
    Object.prototype.toJSON = () => 'changed'
    Object.prototype.evil = true
    Array.prototype.map = null
    Reflect.deleteProperty(Promise.prototype, 'then')
    Atomics.load = () => 1
    globalThis.setTimeout = undefined
    process.env.CHANGED = 'yes'
    globalThis.changed = true
    return 'changed'
  },
  see_world() {
    return {
      evil: {}.evil ?? null,
      environment: process.env.CHANGED ?? null,
      changed: globalThis.changed ?? null,
      json: JSON.stringify({ a: [1].map(String) }),
    }
  },

  cyclic() {
    const value = { items: [{}] }
    value.items[0].parent = value
    return value
  },
  bigint: () => ({ items: [1, 2, { n: 3n }] }),
  nan: () => ({ mean: Number.NaN }),
  undefined: () => undefined,
  map: () => ({ seen: new Map() }),
  large: () => 'x'.repeat(400_000),
  huge: () => 'x'.repeat(100 * 1024 * 1024),

  async flood(_ctx, { bytes, size = 65_536 }) {
    const line = `${'y'.repeat(size - 1)}\n`
    for (let left = bytes; left > 0; left -= size) process.stdout.write(line)
    process.stdout.write('the last line\n')
    return null
  },
  async flood_console(_ctx, { lines }) {
    for (let at = 0; at < lines; at++) print('line', at)
    return null
  },

  past_the_log() {
    for (let at = 0; at < 30; at++) writeSync(2, `${'past '.repeat(20_000)}\n`)
    return null
  },

  async spawned(ctx, { program, args, options }) {
    return await ctx.spawn(program, args, options)
  },
  async spawned_telling(ctx, { program, args }) {
    const heard = []
    const { exitCode } = await ctx.spawn(program, args, {
      onOutput: (text, stream) => heard.push(`${stream}: ${text}`),
    })
    return { exitCode, heard: heard.join('') }
  },
  async left_behind(ctx, { file }) {
    void ctx.spawn('sh', ['-c', `echo $$ > ${file}; sleep 61 & sleep 62`]).catch(() => {})
    await ctx.cancellation.wait(300)
    return 'left'
  },
  async own_child(ctx, { file, ms }) {
    const child = spawn('sleep', ['63'], { stdio: 'ignore' })
    writeFileSync(file, String(child.pid))
    await ctx.cancellation.wait(ms)
    return 'left'
  },

  own_global() {
    globalThis.runs = (globalThis.runs ?? 0) + 1
    return globalThis.runs
  },
  lengths: ({ params, unit }) => [params.text.length, unit.text.length],
}

export default defineHandler({
  type: 'misbehave',
  title: 'Misbehave',
  description: 'Does what a handler should not do.',
  params: z.looseObject({ how: z.enum(Object.keys(ways)) }),
  result: z.any(),
  run(ctx) {
    ctx.progress(0)
    return ways[ctx.unit?.how ?? ctx.params.how](ctx, { ...ctx.params, ...ctx.unit })
  },
})
