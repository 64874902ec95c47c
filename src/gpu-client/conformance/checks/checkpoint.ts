import { type Check, demand, demandSame } from '../check.ts'
import { brief, type Probe, sha256Of } from '../probe.ts'

async function formatOf(probe: Probe): Promise<string> {
  return (await probe.health()).job_types[probe.type]?.checkpoint_format ?? ''
}

/** Half a second is left of 30: one that starts from zero takes far longer. */
const almostDone = { seconds: 30, slept_s: 29.5, mostSeconds: 15 }

async function endsSoon(probe: Probe, id: string): Promise<void> {
  const done = await probe.until(id, (seen) => seen.completed_at !== null, 'an end: half a second was left', {
    timeoutMs: 1_000 * almostDone.mostSeconds,
  })
  demand(done.status === 'succeeded', 'succeeded', brief(done))
}

export const checkpointChecks: readonly Check[] = [
  {
    name: 'checkpoint/told',
    title: 'GET carries checkpoints in the format that the health check names, with a growing seq',
    why: 'The manager stores them: after a loss the job goes on from the last one instead of from zero.',
    async run(probe) {
      const format = await formatOf(probe)
      const { id } = await probe.start({ seconds: 30 })
      const first = (await probe.until(id, (seen) => seen.checkpoint !== null, 'a checkpoint')).checkpoint
      demandSame('format', first?.format, format)
      const seq = first?.seq ?? 0
      await probe.until(id, (seen) => (seen.checkpoint?.seq ?? 0) > seq, `a checkpoint with a seq over ${seq}`)
    },
  },
  {
    name: 'checkpoint/kept-after-end',
    title: 'the last checkpoint stays with a run that was cancelled',
    why: 'A run whose lease ended starts anew from there.',
    async run(probe) {
      const { id } = await probe.start({ seconds: 30 })
      await probe.until(id, (seen) => seen.checkpoint !== null, 'a checkpoint')
      await probe.cancel(id)
      const done = await probe.untilEnded(id)
      demand(done.checkpoint !== null, 'the checkpoint', brief(done))
    },
  },
  {
    name: 'checkpoint/resume',
    title: 'input.resume goes on from there',
    why: 'Otherwise an interrupted night starts from zero.',
    async run(probe) {
      const resume = { format: await formatOf(probe), seq: 7, inline: { slept_s: almostDone.slept_s } }
      const { id } = await probe.start({ seconds: almostDone.seconds, input: { resume } })
      await endsSoon(probe, id)
    },
  },
  {
    name: 'checkpoint/resume-file',
    title: 'input.resume may name a file',
    why: 'Large checkpoints travel as files.',
    async run(probe) {
      const state = Buffer.from(JSON.stringify({ slept_s: almostDone.slept_s }))
      await probe.putFile(state)
      const resume = { format: await formatOf(probe), seq: 7, sha256: sha256Of(state) }
      const { id } = await probe.start({ seconds: almostDone.seconds, input: { resume } })
      await endsSoon(probe, id)
    },
  },
  {
    name: 'checkpoint/seq-goes-on',
    title: 'checkpoints after a resume have a seq beyond it',
    why: 'An older checkpoint must never replace a newer one, over all attempts.',
    async run(probe) {
      const resume = { format: await formatOf(probe), seq: 41, inline: { slept_s: 1 } }
      const { id } = await probe.start({ seconds: 30, input: { resume } })
      // Until it saves one of its own it may tell the one that it was given.
      const seen = await probe.until(
        id,
        ({ checkpoint }) => checkpoint !== null && checkpoint.seq !== 41,
        'a checkpoint with a seq other than 41',
      )
      demand((seen.checkpoint?.seq ?? 0) > 41, 'a seq over 41', seen.checkpoint)
    },
  },
  {
    name: 'checkpoint/unknown-format',
    title: 'a checkpoint in an unknown format is not used: the run starts from zero and its log says so',
    why: 'Numbers of another program would give a wrong result without a sign.',
    async run(probe) {
      const format = 'conformance-unknown/9'
      const resume = { format, seq: 7, inline: { slept_s: 1.9 } }
      const { id } = await probe.start({ seconds: 2, input: { resume } })
      const done = await probe.untilEnded(id)
      demand(done.status === 'succeeded', 'succeeded', brief(done))
      const ran = Date.parse(done.completed_at ?? '') - Date.parse(done.started_at ?? '')
      demand(ran >= 1_500, 'a run of 2 s, from zero', `${ran} ms`)
      const { logs } = await probe.look(id, { logsFrom: 0 })
      demand(logs.includes(format), `a line in the log that names ${format}`, logs || 'an empty log')
    },
  },
]
