import { discovery, predictionProtocol } from '../../../domain/wire/prediction.ts'
import { type Check, demand } from '../check.ts'
import { parsed } from '../probe.ts'

export const discoveryChecks: readonly Check[] = [
  {
    name: 'discovery/map',
    title: 'GET / names predictions_get_url',
    why: 'Its presence is what tells a full worker from a plain Cog server, which has no GET.',
    async run(probe) {
      const map = parsed(discovery, await probe.ask({ method: 'GET', path: '/' }), [200])
      demand(map.predictions_get_url !== undefined, 'predictions_get_url in the answer to GET /', map)
    },
  },
  {
    name: 'discovery/health',
    title: 'GET /health-check has the fields of the protocol',
    why: 'The manager chooses a worker by it; one that it cannot read is never used.',
    async run(probe) {
      await probe.health()
    },
  },
  {
    name: 'discovery/protocol-version',
    title: `the health check says protocol ${predictionProtocol}`,
    why: 'A manager speaks to no worker of another protocol.',
    async run(probe) {
      const { protocol } = await probe.health()
      demand(protocol === predictionProtocol, `protocol ${predictionProtocol}`, protocol)
    },
  },
  {
    name: 'discovery/job-type',
    title: 'the job type of these checks is served, with a version and a checkpoint format',
    why: 'A manager sends a job only where its type and version are served.',
    async run(probe) {
      const served = (await probe.health()).job_types[probe.type]
      demand(served !== undefined, `${probe.type} in job_types`, 'it is missing; --type names another one')
      demand(served.version !== '' && served.checkpoint_format !== '', 'a version and a checkpoint format', served)
    },
  },
  {
    name: 'discovery/slots',
    title: 'free slots are no more than all, and BUSY means none',
    why: 'Managers choose the worker with a free slot.',
    async run(probe) {
      const { slots, status } = await probe.health()
      demand(slots.free <= slots.total, `at most ${slots.total} free slots`, slots.free)
      demand(status === (slots.free === 0 ? 'BUSY' : 'READY'), 'BUSY without a free slot, else READY', {
        status,
        slots,
      })
    },
  },
  {
    name: 'discovery/boot-id',
    title: 'boot_id stays the same while the worker runs',
    why: 'Another one tells the manager that the worker was started again and its runs are lost.',
    async run(probe) {
      const first = (await probe.health()).boot_id
      const second = (await probe.health()).boot_id
      demand(first === second, `boot_id ${first}`, second)
    },
  },
  {
    name: 'discovery/honest-gpus',
    title: 'software adapters are marked as software',
    why: 'A processor that imitates a GPU must never be shown as one.',
    async run(probe) {
      const { gpus } = await probe.health()
      const lying = gpus.filter((gpu) => /llvmpipe|lavapipe|swiftshader|basic render/i.test(gpu.name) && !gpu.software)
      demand(lying.length === 0, 'software: true for software adapters', lying)
    },
  },
]
