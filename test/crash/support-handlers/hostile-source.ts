/** Source of the job type `hostile`: everything that a handler should not do, by name; `flood` writes so many MiB. */
export const hostileSource = (floodMebibytes: number): string => `
import { execSync } from 'node:child_process'
import { defineHandler, z } from 'nightkiln/handler'

const never = () => new Promise(() => setInterval(() => undefined, 1_000))

const deeds = {
  loop() {
    for (;;) ;
  },
  regular_expression() {
    return /^(a+)+$/.test('a'.repeat(60) + 'b')
  },
  exec_sync() {
    execSync('sleep 60')
  },
  ignores_abort: never,
  exit() {
    process.exit(3)
  },
  abort() {
    process.abort()
  },
  kill() {
    process.kill(process.pid)
    return never()
  },
  segfault() {
    process.kill(process.pid, 'SIGSEGV')
    return never()
  },
  heap() {
    const kept = []
    for (;;) kept.push(new Array(10_000).fill({}))
  },
  async buffers() {
    const kept = []
    for (;;) {
      kept.push(Buffer.alloc(16 * 1024 * 1024, 1))
      await new Promise((done) => setTimeout(done, 5))
    }
  },
  throw_undefined() {
    throw undefined
  },
  rejection() {
    void Promise.reject(new TypeError('nobody waits for this'))
    return never()
  },
  flood() {
    const piece = Buffer.alloc(1024 * 1024, 'a line of the flood\\n')
    for (let megabytes = 0; megabytes < ${floodMebibytes}; megabytes += 1) process.stdout.write(piece)
    return 'flooded'
  },
  cyclic() {
    const value = { name: 'loop' }
    value.self = value
    return value
  },
  big_integer() {
    return { items: [{ n: 1 }, { n: 12345678901234567890n }] }
  },
  change_globals() {
    Object.prototype.polluted = 'everywhere'
    Array.prototype.map = () => ['nothing']
    JSON.stringify = () => 'no'
    globalThis.Promise = class {}
    globalThis.setTimeout = () => undefined
    process.env.PATH = '/nowhere'
    return 'changed'
  },
  look_at_globals() {
    return {
      polluted: {}.polluted ?? null,
      map: [1, 2].map((one) => one + 1),
      json: JSON.stringify({ a: 1 }),
      path: process.env.PATH !== '/nowhere',
    }
  },
}

export default defineHandler({
  type: 'hostile',
  title: 'Hostile',
  description: 'Does what it should not.',
  params: z.object({ deed: z.enum(Object.keys(deeds)) }),
  result: z.any(),
  run: ({ params }) => deeds[params.deed](),
})
`

/** Source of the job type `giant`: a result of 100 MB. */
export const giantSource = `
import { defineHandler, z } from 'nightkiln/handler'

export default defineHandler({
  type: 'giant',
  title: 'Giant',
  description: 'Returns very much.',
  params: z.object({}),
  result: z.string(),
  memoryMegabytes: 1024,
  run: () => 'x'.repeat(100 * 1024 * 1024),
})
`

/**
 * Source of the job type `late_thrower`: its thread goes on to the next attempt, and an error comes after its own. A unit says
 * whether it throws late, and how long it takes.
 */
export const lateThrowerSource = `
import { threadId } from 'node:worker_threads'
import { defineHandler, z } from 'nightkiln/handler'

export default defineHandler({
  type: 'late_thrower',
  title: 'Throws late',
  description: 'Throws when it has returned.',
  params: z.object({}),
  unit: z.object({ throws: z.boolean(), takes_ms: z.int() }),
  result: z.object({ thread: z.int() }),
  reusable: true,
  async run({ unit, cancellation }) {
    if (unit.throws) setTimeout(() => { throw new Error('too late') }, 500)
    await cancellation.wait(unit.takes_ms)
    return { thread: threadId }
  },
})
`
