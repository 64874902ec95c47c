import { expect, test } from 'vitest'
import { counterParams, counterSource } from './support-handlers/counter.ts'
import { outcomesOf, residentBytes, shareHandlerHome } from './support-handlers/handler-home.ts'
import { hostileSource, lateThrowerSource } from './support-handlers/hostile-source.ts'

const shared = shareHandlerHome(
  { handler_heap: '64mb', host_memory: '512mb', terminate_wait: '300ms', cancel_grace: '200ms' },
  async (home) => {
    home.write('counter.mjs', counterSource)
    home.write('hostile.mjs', hostileSource)
    home.write('late_thrower.mjs', lateThrowerSource)
    const warm = [await home.submit('counter', counterParams(home, 'warm', 3, 10)), await home.submit('hostile', { deed: 'throw_undefined' })]
    await home.ended(warm)
  },
)
const deeds = ['loop','regular_expression','exec_sync','ignores_abort','exit','abort','kill','segfault','heap','buffers','throw_undefined','rejection','flood','large','cyclic','big_integer','change_globals']

test.for(deeds)('%s', async (deed) => {
  const home = shared()
  const pid = await home.managerPid()
  const before = residentBytes(pid)
  const begun = performance.now()
  const bystander = await home.submit('counter', counterParams(home, `beside-${deed}`, 20, 50))
  await new Promise((r) => setTimeout(r, 300))
  const id = await home.submit('hostile', { deed }, ['loop','regular_expression','exec_sync','ignores_abort'].includes(deed) ? { timeout_s: 0.4, backoff: {initial_s: 0.1} } : { backoff: {initial_s: 0.1} })
  const [job, beside] = await home.ended([id, bystander], 15_000).catch(async (e) => [await home.job(id), await home.job(bystander)])
  console.log(deed, Math.round(performance.now() - begun), 'ms', ((residentBytes(pid) - before) / 2**20).toFixed(1), 'MiB')
  console.log(JSON.stringify({ state: job.state, why: job.why, error: job.error, result: JSON.stringify(job.result)?.slice(0, 300), d: job.duration_s, h: (job.attempt_history ?? []).map(a => [a.outcome, a.error?.code, a.error?.message])}, null, 1))
  console.log(JSON.stringify({ state: beside.state, why: beside.why, result: beside.result, d: beside.duration_s, h: (beside.attempt_history ?? []).map(a => [a.outcome, a.error?.message])}))
  expect(await home.managerPid()).toBe(pid)
})
