import { z } from 'zod'

export const gpuPreferences = ['never', 'prefer', 'require'] as const
export type GpuPreference = (typeof gpuPreferences)[number]
export const gpuFallbacks = ['after_lease', 'immediate', 'never'] as const
export type GpuFallback = (typeof gpuFallbacks)[number]

export const gpuWorkerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'must be a name such as "rig": small letters, digits, - and _')

/** Where a key is; never the key. */
export const keyReference = z.union([
  z.strictObject({ file: z.string().min(1).describe('Absolute path of a file that only you can read (0600)') }),
  z.strictObject({ env: z.string().min(1).describe('Variable of the environment; a restarted manager may lack it') }),
  z.strictObject({
    keychain: z.strictObject({ service: z.string().min(1), account: z.string().min(1) }).describe('Of this system'),
  }),
])
export type KeyReference = z.infer<typeof keyReference>

/** One worker in gpu-workers.json. */
export const gpuWorkerEntry = z.strictObject({
  url: z.string().min(1).describe('Such as https://rig.local:7801; plain http to this machine alone'),
  key: keyReference.optional(),
  ca_file: z.string().min(1).optional().describe('Certificate that the worker must show, or that signed it (PEM)'),
  allow_cpu: z.boolean().optional().describe('It serves although it has no GPU; its attempts show "remote (cpu)"'),
  cog_type: z
    .string()
    .min(1)
    .optional()
    .describe('For a plain Cog server: the job type that it computes; the type must be declared pure'),
})
export type GpuWorkerEntry = z.infer<typeof gpuWorkerEntry>

export const gpuTestStates = [
  'connected',
  'busy',
  'key_refused',
  'key_missing',
  'tls_problem',
  'wrong_protocol',
  'unreachable',
  'no_gpu',
] as const

const gpuView = z.strictObject({
  name: z.string().describe('Untrusted: as the worker says'),
  memory_total_mb: z.number().nullable(),
  memory_used_mb: z.number().nullable(),
  driver_version: z.string().nullable().describe('Untrusted'),
  software: z.boolean(),
})

/** A worker as people see it. */
export const gpuWorkerStatus = z.strictObject({
  name: z.string(),
  url: z.string(),
  mode: z.enum(['full', 'cog']).nullable().describe('Null: not known yet'),
  reachable: z.boolean().nullable().describe('Null: not looked at yet'),
  gpus: z.array(gpuView),
  slots: z.strictObject({ total: z.int(), free: z.int() }).nullable(),
  job_types: z.array(z.string()).describe('Untrusted: as the worker says'),
  version: z.string().nullable().describe('Untrusted: as the worker says'),
  running: z.int().describe('Attempts of this queue there'),
  breaker: z.enum(['closed', 'open', 'half_open']),
  breaker_until: z.string().nullable().describe('When it is tried again'),
  problem: z.string().nullable().describe('Untrusted: may quote the worker'),
  looked_at: z.string().nullable(),
})
export type GpuWorkerStatus = z.infer<typeof gpuWorkerStatus>

export const gpuWorkerTest = z.strictObject({
  name: z.string(),
  url: z.string(),
  state: z.enum(gpuTestStates),
  summary: z.string().describe('Untrusted where it quotes the worker: one sentence for people'),
  remedy: z.string().nullable().describe('What to do next'),
  latency_ms: z.number().nullable(),
  code: z.string().nullable().describe('Error code of the failed step, such as ECONNREFUSED'),
  mode: z.enum(['full', 'cog']).nullable(),
  gpus: z.array(gpuView),
  slots: z.strictObject({ total: z.int(), free: z.int() }).nullable(),
  job_types: z.array(z.string()).describe('Untrusted: as the worker says'),
  version: z.string().nullable().describe('Untrusted: as the worker says'),
})
export type GpuWorkerTest = z.infer<typeof gpuWorkerTest>

/** Operations. */
export const addGpuWorkerRequest = z.strictObject({
  name: gpuWorkerName,
  worker: gpuWorkerEntry,
  replace: z.boolean().default(false),
})
export const addGpuWorkerAnswer = z.strictObject({
  name: z.string(),
  replaced: z.boolean(),
  notes: z.array(z.string()),
  next: z.string(),
})
export const removeGpuWorkerRequest = z.strictObject({ name: z.string().min(1) })
export const removeGpuWorkerAnswer = z.strictObject({ name: z.string(), next: z.string() })
export const listGpuWorkersRequest = z.strictObject({})
export const listGpuWorkersAnswer = z.strictObject({
  workers: z.array(gpuWorkerStatus),
  file: z.string(),
  next: z.string(),
})
export const testGpuRequest = z.strictObject({ name: z.string().min(1).optional() })
export const testGpuAnswer = z.strictObject({ tests: z.array(gpuWorkerTest), next: z.string() })
