import { describe, expect, test } from 'vitest'
import { stretched } from '../support/machine-speed.ts'
import { pidsOfHome } from '../support/proc.ts'
import { rounds } from '../support/rounds.ts'
import { waitUntil } from '../support/wait-until.ts'
import { type FirstEnd, startBystander } from './support-handlers/bystander.ts'
import { counterParams, counterSource } from './support-handlers/counter.ts'
import { outcomesOf, residentBytes, shareHandlerHome } from './support-handlers/handler-home.ts'
import { graceMs, hostileCases, terminateMs } from './support-handlers/hostile-cases.ts'
import { giantSource, hostileSource, lateThrowerSource } from './support-handlers/hostile-source.ts'

const mebibyte = 1024 ** 2
const floodMebibytes = rounds(256, 1024)
/** Of the manager, whatever a handler does. */
const mostGrowth = 30 * mebibyte

const shared = shareHandlerHome(
  {
    handler_heap: '64mb',
    host_memory: '768mb',
    terminate_wait: `${terminateMs}ms`,
    cancel_grace: `${graceMs}ms`,
  },
  async (home) => {
    home.write('counter.mjs', counterSource)
    home.write('giant.mjs', giantSource)
    home.write('hostile.mjs', hostileSource(floodMebibytes))
    home.write('late_thrower.mjs', lateThrowerSource)
    // Everything is loaded and warm before memory is measured.
    const warm = [
      await home.submit('counter', counterParams(home, 'warm', 20, 5)),
      await home.submit('hostile', { deed: 'throw_undefined' }),
      await home.submit('hostile', { deed: 'look_at_globals' }),
    ]
    await home.ended(warm)
    await home.client.call('job_logs', { id: warm[0] ?? '' })
  },
)

/** Does `work` beside a job that counts: that one comes to no harm, and the manager is the same one and has not grown. */
async function beside(name: string, firstEnd: FirstEnd, work: () => Promise<void>): Promise<void> {
  const home = shared()
  const pid = await home.managerPid()
  const before = residentBytes(pid)
  const bystander = await startBystander(home, `beside-${name}`)
  await work()
  await bystander.check(firstEnd)
  expect(await home.managerPid()).toBe(pid)
  expect((residentBytes(pid) - before) / mebibyte).toBeLessThan(mostGrowth / mebibyte)
}

describe('a handler does what it should not, and harms nobody but itself', () => {
  test.for(hostileCases)('$deed', async ({ deed, submit, code, message, outcomes, bystander = null, withinMs }) => {
    const home = shared()
    let id = ''
    let hostPid = 0
    await beside(deed, bystander, async () => {
      hostPid = (await home.sharedHost()).pid
      id = await home.submit('hostile', { deed }, submit)
      // What has to run alone may have to wait for the bystander.
      await waitUntil(async () => (await home.job(id)).attempt_history?.some(({ finished_at: at }) => at !== null), {
        what: `the first attempt of ${deed} to end`,
      })
    })
    const job = await home.endOf(id)
    expect(job).toMatchObject({ state: 'failed', error: { code, message: expect.stringMatching(message) } })
    expect(job.error?.remedy).not.toBe('')
    expect(outcomesOf(job)).toEqual(outcomes)
    expect((job.duration_s ?? 0) * 1000).toBeLessThan(await stretched(withinMs))
    // Nobody is replaced who need not be; nothing is left of who is.
    if (bystander === null) expect((await home.sharedHost()).pid).toBe(hostPid)
    else expect(pidsOfHome(home.home)).not.toContain(hostPid)
  })

  test('an error in a timer after its end goes into its own log, and its thread is not used again', async () => {
    const home = shared()
    await beside('late_thrower', null, async () => {
      const units = [
        { throws: true, takes_ms: 0 },
        { throws: false, takes_ms: 800 },
        { throws: false, takes_ms: 0 },
      ]
      const job = await home.endOf(await home.submit('late_thrower', {}, { units, concurrency: 1 }))
      expect(job.state, job.why).toBe('completed')
      const { units: ended } = await home.client.call('list_units', { id: job.id, detail: 'full' })
      expect(ended.map(({ attempts, failures }) => [attempts, failures])).toEqual([
        [1, 0],
        [1, 0],
        [1, 0],
      ])
      const [first, second, third] = ended.map(({ result }) => (result as { thread: number }).thread)
      expect(second).toBe(first)
      expect(third).not.toBe(first)
      const { untrusted_output: log } = await home.client.call('job_logs', { id: job.id, unit: 0 })
      expect(log).toContain('after the attempt had ended: Error: too late')
      expect((await home.client.call('job_logs', { id: job.id, unit: 1 })).untrusted_output).toBe('')
    })
  })

  test('changed globals and prototypes are gone in the next job', async () => {
    const home = shared()
    await beside('globals', null, async () => {
      const [changed, clean] = await home.ended([
        await home.submit('hostile', { deed: 'change_globals' }),
        await home.submit('hostile', { deed: 'look_at_globals' }, {}),
      ])
      expect(changed).toMatchObject({ state: 'completed', result: 'changed' })
      expect(clean).toMatchObject({
        state: 'completed',
        result: { polluted: null, map: [2, 3], json: '{"a":1}', path: true },
      })
    })
  })

  test(`${floodMebibytes} MiB of output: capped, said, and the manager and the host do not grow`, async () => {
    const home = shared()
    await beside('flood', null, async () => {
      const { pid } = await home.sharedHost()
      const id = await home.submit('hostile', { deed: 'flood' })
      const job = await home.endOf(id, 60_000)
      expect(job).toMatchObject({ state: 'completed', result: 'flooded' })
      const { total_bytes: total, dropped_bytes: dropped, truncated } = await home.client.call('job_logs', { id })
      expect([total, truncated]).toEqual([floodMebibytes * mebibyte, true])
      expect(total - dropped).toBeLessThanOrEqual(10 * mebibyte)
      expect(residentBytes(pid) / mebibyte).toBeLessThan(600)
      expect((job.duration_s ?? 0) * 1000).toBeLessThan(await stretched(15_000))
    })
  })

  test('a result of 100 MB is refused, and said how large it may be', async () => {
    const home = shared()
    await beside('giant', null, async () => {
      const job = await home.endOf(await home.submit('giant', {}))
      expect(job).toMatchObject({ state: 'failed', error: { code: 'result_invalid' } })
      expect(job.error?.message).toBe('result has 101 MiB as JSON, and may have 64 MiB at most: keep it as an artifact')
      expect(outcomesOf(job)).toEqual(['failed'])
    })
  })
})
