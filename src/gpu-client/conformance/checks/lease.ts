import { setTimeout as wait } from 'node:timers/promises'
import { type Check, demand, demandSame } from '../check.ts'
import { brief } from '../probe.ts'

/** For the transfer and a busy machine. */
const roomMs = 10_000

export const leaseChecks: readonly Check[] = [
  {
    name: 'lease/told',
    title: 'a PUT with Worker-Lease tells when the lease ends',
    why: 'The manager waits for it before it computes elsewhere.',
    async run(probe) {
      const { prediction } = await probe.start({ seconds: 30, lease: 20 })
      const left = prediction.lease_expires_in_ms
      demand(left !== null && left > 10_000 && left <= 20_000, 'lease_expires_in_ms of at most 20000', left)
    },
  },
  {
    name: 'lease/none',
    title: 'a PUT without Worker-Lease has no lease, and runs to its end',
    why: 'Plain clients of the prediction API do not know of leases.',
    async run(probe) {
      const { id, prediction } = await probe.start({ seconds: 1, lease: null })
      demandSame('lease_expires_in_ms', prediction.lease_expires_in_ms, null)
      demandSame('status', (await probe.untilEnded(id)).status, 'succeeded')
    },
  },
  {
    name: 'lease/look-does-not-renew',
    title: 'a GET without Worker-Lease renews nothing',
    why: 'In doubt the manager only looks: a lease that is renewed without its knowledge keeps two runs alive.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 30, lease: 20 })
      const before = (await probe.look(id)).lease_expires_in_ms ?? Number.NaN
      await wait(1_000)
      const after = (await probe.look(id)).lease_expires_in_ms ?? Number.NaN
      demand(after <= before - 500, `less than ${before} ms a second later`, after)
    },
  },
  {
    name: 'lease/get-renews',
    title: 'a GET with Worker-Lease renews',
    why: 'Polling is what keeps a run alive.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 30, lease: 10 })
      const left = (await probe.look(id, { lease: 40 })).lease_expires_in_ms
      demand(left !== null && left > 15_000 && left <= 40_000, 'lease_expires_in_ms between 15000 and 40000', left)
    },
  },
  {
    name: 'lease/put-renews',
    title: 'a repeated PUT with Worker-Lease renews',
    why: 'After a restart the manager may PUT the same again, and counts on its lease.',
    async run(probe) {
      const { id, body } = await probe.start({ seconds: 30, lease: 10 })
      const left = probe.prediction(await probe.put(id, body, 40), [202]).lease_expires_in_ms
      demand(left !== null && left > 15_000 && left <= 40_000, 'lease_expires_in_ms between 15000 and 40000', left)
    },
  },
  {
    name: 'lease/expiry-cancels',
    title: 'a run whose lease ends is ended by the worker with LEASE_EXPIRED',
    why: 'Otherwise it holds the GPU for ever, and runs beside the fallback.',
    async run(probe) {
      const began = performance.now()
      const { id } = await probe.start({ seconds: 60, lease: 2, input: { on_lease_end: 'cancel' } })
      const done = await probe.untilEnded(id)
      const took = performance.now() - began
      demandSame('error_code', done.error_code, 'LEASE_EXPIRED')
      demandSame('status', done.status, 'failed')
      demandSame('lease_expires_in_ms after the end', done.lease_expires_in_ms, null)
      demand(took >= 1_900 && took < 2_000 + roomMs, 'an end 2 s after the last renewal', `${Math.round(took)} ms`)
    },
  },
  {
    name: 'lease/too-late',
    title: 'a renewal that comes after the end of the lease does not revive it',
    why: 'The manager may have fallen back by then: expiry is judged before renewing.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 60, lease: 1, input: { on_lease_end: 'cancel' } })
      await wait(1_500)
      await probe.look(id, { lease: 60 })
      const done = await probe.untilEnded(id, { lease: 60 })
      demandSame('error_code', done.error_code, 'LEASE_EXPIRED')
    },
  },
  {
    name: 'lease/default-is-cancel',
    title: 'without on_lease_end the end of the lease cancels',
    why: 'Only jobs without effects may go on unwatched.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 60, lease: 1 })
      demandSame('error_code', (await probe.untilEnded(id)).error_code, 'LEASE_EXPIRED')
    },
  },
  {
    name: 'lease/finish',
    title: 'with on_lease_end finish the run goes on, and its result is kept',
    why: 'A laptop that is closed for the night finds its results in the morning.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 3, lease: 1, input: { on_lease_end: 'finish' } })
      const done = await probe.untilEnded(id)
      demand(done.status === 'succeeded', 'succeeded although the lease ended after 1 s', brief(done))
    },
  },
  {
    name: 'lease/cancel-beats-finish',
    title: 'a cancel ends a run with on_lease_end finish too',
    why: 'A person who cancels must not find the GPU busy.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 60, lease: 1, input: { on_lease_end: 'finish' } })
      await wait(1_200)
      probe.prediction(await probe.cancel(id), [200])
      demandSame('status', (await probe.untilEnded(id)).status, 'canceled')
    },
  },
]
