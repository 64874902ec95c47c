import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { seedOfUnit } from '../../../src/platform/unit-seed.ts'
import { useAttempts } from '../../support/bad-worker/attempt-harness.ts'
import { status } from '../../support/bad-worker/broken-answers.ts'
import { useWorker } from '../../support/bad-worker/use-worker.ts'
import { sha256Of } from '../../support/bad-worker/worker-stand-in.ts'
import { waitUntil } from '../../support/wait-until.ts'

test('an attempt is offered, sent once, followed and brought home', async () => {
  const { worker, attempts } = await useWorker({ polls: 5 })
  const end = await attempts.start().ended
  expect(end).toMatchObject({ kind: 'completed', result: { sum: 42, seed: seedOfUnit('u') }, artifacts: [] })
  expect(worker.runs).toHaveLength(1)
  expect(attempts.told.offered).toEqual([{ worker: 'rig', remoteId: worker.runs[0]?.id }])
  expect(attempts.told.devices).toEqual([{ name: 'Stand-in 1000', kind: 'gpu' }])
  expect(attempts.told.progress.map(({ current }) => current)).toEqual([0, 1, 2, 3, 4, 5])
  expect(readFileSync(join(attempts.directory, 'output'), 'utf8')).toBe(worker.runs[0]?.log)
  expect(end).toMatchObject({ output: { droppedBytes: 0, tail: worker.runs[0]?.log } })
  expect(attempts.told.held).toBe(0)
})

test('nothing leaves before it is committed where it goes', async () => {
  let sentBefore = -1
  const { worker, attempts } = await useWorker(
    {},
    {
      async offering() {
        await new Promise((resolve) => setTimeout(resolve, 30))
        sentBefore = worker.requests.length
        return true
      },
    },
  )
  expect(await attempts.start().ended).toMatchObject({ kind: 'completed' })
  expect(sentBefore).toBe(0)
})

test('an attempt that is somebody else’s is sent nowhere and told of to nobody', async () => {
  const { worker, attempts } = await useWorker({}, { offering: () => false })
  attempts.start()
  await waitUntil(() => attempts.told.offered.length > 0 && attempts.told.held === 0)
  expect(worker.requests).toEqual([])
  expect(attempts.told.ends).toEqual([])
})

test('where it goes cannot be committed: given back, nothing sent', async () => {
  const { worker, attempts } = await useWorker({}, { offering: () => Promise.reject(new Error('disk full')) })
  expect(await attempts.start().ended).toMatchObject({ kind: 'released', backOff: true })
  expect(worker.requests).toEqual([])
})

test('polls come soon at first, slower while nothing changes, and every second again after news', async () => {
  const { attempts } = await useWorker({
    polls: 60,
    misbehave: (exchange) => {
      if (exchange.route !== 'get') return 'pass'
      const { body } = exchange.good()
      const still = { progress: { current: exchange.earlier < 14 ? 0 : 1, total: 2, message: null, stage: null } }
      exchange.json(200, { ...(body as object), logs: '', logs_next: 0, logs_total: 0, metrics: still })
      return undefined
    },
  })
  await attempts.start().ended
  expect(attempts.pauses.slice(0, 8)).toEqual([100, 150, 225, 338, 507, 761, 1_142, 1_713])
  expect(attempts.pauses.slice(14, 18)).toEqual([5_000, 1_000, 1_500, 2_250])
})

test('large input travels as a file, and a large checkpoint as another', async () => {
  const { worker, attempts } = await useWorker()
  const params = { table: 'x'.repeat(300_000) }
  const state = { sums: 'y'.repeat(300_000) }
  const end = await attempts.start({ params, checkpoint: { format: 'sum/1', state } }).ended
  expect(end).toMatchObject({ kind: 'completed' })
  expect(worker.runs[0]?.input.params).toEqual(params)
  const hash = sha256Of(JSON.stringify(state))
  expect(worker.runs[0]?.input.resume).toMatchObject({ format: 'sum/1', sha256: hash })
  expect(worker.files.has(hash)).toBe(true)
})

test('a file that the worker lost in between is sent once more, and not for ever', async () => {
  const params = { table: 'x'.repeat(300_000) }
  const loses = async (times: number) =>
    useWorker({
      misbehave: ({ route, earlier, worker }) => {
        if (route === 'put' && earlier < times) worker.files.clear()
        return 'pass'
      },
    })
  const once = await loses(1)
  expect(await once.attempts.start({ params }).ended).toMatchObject({ kind: 'completed' })
  const always = await loses(100)
  expect(await always.attempts.start({ params }).ended).toMatchObject({ kind: 'returned', why: 'refused' })
  expect(always.worker.requests.filter(({ route }) => route === 'put')).toHaveLength(2)
})

test('a file that cannot be sent: back, since nothing can run without it', async () => {
  const { worker, attempts } = await useWorker({
    misbehave: ({ route, request }) => {
      if (route !== 'file') return 'pass'
      request.socket.destroy()
      return undefined
    },
  })
  const began = attempts.clock.monotonic()
  const end = await attempts.start({ params: { table: 'x'.repeat(300_000) } }).ended
  expect(end).toMatchObject({ kind: 'returned', why: 'unreachable' })
  expect(attempts.clock.monotonic() - began).toBeLessThan(2_000)
  expect(worker.runs).toEqual([])
})

describe('checkpoints', () => {
  test('go along in the format of the handler, and in no other', async () => {
    const { worker, attempts } = await useWorker()
    const fence = { unitId: 'u', attempt: 2, nonce: 'n', workerId: 'w' }
    await attempts.start({ checkpoint: { format: 'sum/1', state: { n: 7 } } }).ended
    await attempts.start({ fence, checkpoint: { format: 'sum/0', state: { n: 7 } } }).ended
    expect(worker.runs.map(({ input }) => input.resume)).toEqual([
      { format: 'sum/1', seq: expect.any(Number), inline: { n: 7 } },
      null,
    ])
  })

  test('come back and are committed once each', async () => {
    const { attempts } = await useWorker({
      polls: 6,
      misbehave: (exchange) => {
        if (exchange.route !== 'get') return 'pass'
        const { body } = exchange.good()
        const step = Math.floor(exchange.earlier / 2)
        const checkpoint = { format: 'sum/1', seq: 1 + step, inline: { step } }
        exchange.json(200, { ...(body as object), checkpoint })
        return undefined
      },
    })
    await attempts.start().ended
    expect(attempts.told.checkpoints).toEqual([0, 1, 2].map((step) => ({ format: 'sum/1', state: { step } })))
  })

  test('are numbered on from the one that it began with', async () => {
    const begun = { format: 'sum/1', state: { n: 7 } }
    const again = { format: 'sum/1', seq: 2 ** 24, inline: { n: 7 } }
    const newer = { format: 'sum/1', seq: 2 ** 24 + 1, inline: { n: 8 } }
    const { attempts } = await useWorker({ always: { checkpoint: again }, terminal: { checkpoint: newer } })
    await attempts.start({ checkpoint: begun }).ended
    expect(attempts.told.checkpoints).toEqual([{ format: 'sum/1', state: { n: 8 } }])
  })

  test('are fetched when they are large', async () => {
    const state = { sums: 'y'.repeat(400_000) }
    const text = JSON.stringify(state)
    const checkpoint = { format: 'sum/1', seq: 1, sha256: sha256Of(text) }
    const files = new Map([[sha256Of(text), Buffer.from(text)]])
    const { attempts } = await useWorker({ always: { checkpoint }, files })
    expect(await attempts.start().ended).toMatchObject({ kind: 'completed' })
    expect(attempts.told.checkpoints).toEqual([{ format: 'sum/1', state }])
  })

  test('that cannot be committed now are committed at the next look', async () => {
    let tries = 0
    const checkpoint = { format: 'sum/1', seq: 1, inline: 5 }
    const { attempts } = await useWorker(
      { always: { checkpoint } },
      {
        checkpointed: () => {
          tries += 1
          if (tries === 1) throw new Error('the disk is full')
          return true
        },
      },
    )
    expect(await attempts.start().ended).toMatchObject({ kind: 'completed' })
    expect(tries).toBe(2)
  })

  test('of an attempt that is somebody else’s end it without a word, and its worker is not touched', async () => {
    const checkpoint = { format: 'sum/1', seq: 2 ** 40, inline: 1 }
    const { worker, attempts } = await useWorker({ polls: 50, always: { checkpoint } }, { checkpointed: () => false })
    attempts.start()
    await waitUntil(() => attempts.told.checkpoints.length > 0 && attempts.told.held === 0)
    expect(attempts.told.ends).toEqual([])
    expect(worker.requests.filter(({ route }) => route === 'cancel')).toEqual([])
  })
})

test('a worker that does not serve it: the next one, under the same id, committed anew', async () => {
  const first = await useWorker({
    misbehave: (exchange) => {
      status(422, {}, { code: 'unknown_version', detail: 'it has version 2' })(exchange)
      return undefined
    },
  })
  const second = await useWorker()
  const workers = [
    { name: 'old', url: first.worker.url },
    { name: 'new', url: second.worker.url },
  ]
  const attempts = useAttempts({ workers })
  expect(await attempts.start().ended).toMatchObject({ kind: 'completed' })
  const [{ remoteId } = { remoteId: '' }] = attempts.told.offered
  expect(attempts.told.offered).toEqual([
    { worker: 'old', remoteId },
    { worker: 'new', remoteId },
  ])
  expect(second.worker.runs).toHaveLength(1)
})

test('no worker serves it: back, nothing counted', async () => {
  const { attempts } = await useWorker({
    misbehave: (exchange) => {
      status(422, {}, { code: 'unknown_type', detail: 'what is that?' })(exchange)
      return undefined
    },
  })
  const end = await attempts.start().ended
  expect(end).toMatchObject({ kind: 'returned', to: 'local', why: 'not_served', error: { code: 'gpu_unavailable' } })
  expect(attempts.told.held).toBe(0)
})

test('whoever hears of the end throws: it is told once all the same', async () => {
  const thrown = (): never => {
    throw new Error('no')
  }
  const { attempts } = await useWorker({}, { ended: thrown })
  await attempts.start().ended
  await waitUntil(() => attempts.told.held === 0)
  expect(attempts.told.ends).toHaveLength(1)
})

test('a log that cannot be kept costs the attempt nothing', async () => {
  const thrown = (): never => {
    throw new Error('too many open files')
  }
  const { attempts } = await useWorker({}, { openLog: thrown })
  expect(await attempts.start().ended).toMatchObject({ kind: 'completed', output: { bytes: 0 } })
})

test('a defect of this program gives nothing back that may run there', async () => {
  const { worker, attempts } = await useWorker(
    { polls: 1_000 },
    {
      onPause: () => {
        if (worker.requests.length === 3) throw new TypeError('undefined is not a function')
      },
    },
  )
  const end = await attempts.start().ended
  expect(end).toMatchObject({ kind: 'returned', to: 'local', error: { details: { gpu_error: 'DEFECT' } } })
  expect(worker.runs[0]?.status).toBe('canceled')
  expect(attempts.told.held).toBe(0)
})

test('it can be neither frozen nor spoken to', async () => {
  const { attempts } = await useWorker()
  const { control, ended } = attempts.start()
  await expect(control.freeze()).rejects.toMatchObject({ code: 'invalid_transition' })
  await expect(control.send('x', false)).rejects.toMatchObject({ code: 'invalid_transition' })
  await control.thaw()
  await ended
})

describe('another worker gets the name of the one that runs it', () => {
  test('it begins nowhere else before the lease over there is over', async () => {
    const { worker, attempts } = await useWorker({ polls: 1_000_000 })
    const other = await useWorker()
    const { ended } = attempts.start()
    await waitUntil(() => worker.requests.length > 2)
    const lastRenewed = attempts.clock.monotonic()
    attempts.configure({ name: 'rig', url: other.worker.url })
    const end = await ended
    expect(end).toMatchObject({
      kind: 'returned',
      to: 'local',
      why: 'unreachable',
      error: { details: { gpu_error: 'WORKER_CHANGED' } },
    })
    expect(attempts.clock.monotonic() - lastRenewed).toBeGreaterThanOrEqual(60_000)
    expect(worker.runs).toHaveLength(1)
    expect(other.worker.runs).toEqual([])
  })

  test('a cancel waits for that, too', async () => {
    const { worker, attempts } = await useWorker({ polls: 1_000_000 })
    const other = await useWorker()
    const { control, ended } = attempts.start()
    await waitUntil(() => worker.requests.length > 2)
    attempts.configure({ name: 'rig', url: other.worker.url })
    const asked = attempts.clock.monotonic()
    control.stop('cancel')
    expect(await ended).toMatchObject({ kind: 'stopped', reason: 'cancel' })
    expect(attempts.clock.monotonic() - asked).toBeGreaterThanOrEqual(60_000)
  })

  test('its own new address is none', async () => {
    const { worker, attempts } = await useWorker({ polls: 200 })
    const { ended } = attempts.start()
    await waitUntil(() => worker.requests.length > 2)
    attempts.configure({ name: 'rig', url: worker.url.replace('127.0.0.1', 'localhost') })
    expect(await ended).toMatchObject({ kind: 'completed' })
    expect(worker.runs).toHaveLength(1)
  })
})
