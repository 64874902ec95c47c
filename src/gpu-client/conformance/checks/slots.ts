import { type Check, demand, demandSame, NotApplicable } from '../check.ts'
import { brief, type Probe } from '../probe.ts'

const mostSlots = 32

/** Takes every slot. @returns the predictions that hold them */
async function fill(probe: Probe): Promise<readonly { readonly id: string; readonly body: string }[]> {
  const { slots } = await probe.health()
  if (slots.total > mostSlots) throw new NotApplicable(`the worker has ${slots.total} slots: too many to fill`)
  const holders = [await probe.start({ seconds: 60 })]
  while ((await probe.health()).slots.free > 0) {
    demand(holders.length <= slots.total, `no free slot after ${slots.total} runs`, (await probe.health()).slots)
    holders.push(await probe.start({ seconds: 60 }))
  }
  return holders
}

export const slotChecks: readonly Check[] = [
  {
    name: 'slots/busy',
    title: 'without a free slot a PUT is refused with 409 and Retry-After',
    why: 'The manager waits so long, or takes another worker; a queue here would run without a lease.',
    async run(probe) {
      await fill(probe)
      const id = probe.newId()
      const answer = await probe.put(id, JSON.stringify({ id, input: await probe.input({ seconds: 0 }) }), 60)
      probe.refused(answer, [409], 'busy')
      const after = Number(answer.headers['retry-after'])
      demand(after >= 1 && after <= 3_600, 'Retry-After in seconds', answer.headers['retry-after'] ?? 'none')
      probe.refused(await probe.ask({ method: 'GET', path: `/predictions/${id}` }), [404], 'not_found')
    },
  },
  {
    name: 'slots/busy-told',
    title: 'the health check says BUSY and no free slot then',
    why: 'Managers choose by it.',
    async run(probe) {
      await fill(probe)
      const { status, slots } = await probe.health()
      demandSame('status and free slots', { status, free: slots.free }, { status: 'BUSY', free: 0 })
    },
  },
  {
    name: 'slots/known-while-busy',
    title: 'a repeated PUT of a running one is 202 although no slot is free',
    why: '409 would tell the manager that its job does not run: it would start it elsewhere.',
    async run(probe) {
      const [first] = await fill(probe)
      if (first !== undefined) probe.prediction(await probe.put(first.id, first.body, 60), [202])
    },
  },
  {
    name: 'slots/freed',
    title: 'the end of a run frees its slot',
    why: 'A slot that leaks makes the worker useless after a while.',
    async run(probe) {
      const [first] = await fill(probe)
      if (first === undefined) return
      probe.prediction(await probe.cancel(first.id), [200])
      await probe.untilEnded(first.id)
      const { id } = await probe.start({ seconds: 0 })
      const done = await probe.untilEnded(id)
      demand(done.status === 'succeeded', 'a run in the slot that was freed', brief(done))
    },
  },
]
