import { readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { version as ownVersion } from '../../config/version.ts'
import { QueueError } from '../../domain/errors.ts'
import { ownTypeNames } from '../../domain/handler-info.ts'
import type { Json, JsonObject } from '../../domain/job.ts'
import type { ServedType } from '../served-types.ts'

export type CommandTemplates = ReadonlyMap<string, ServedType>

const template = z.strictObject({
  argv: z
    .array(z.string().refine((text) => !text.includes('\0'), 'must not hold NUL'))
    .min(1)
    .max(200),
  version: z.string().min(1).max(64).default('1'),
  checkpoint_format: z.string().min(1).max(100).optional(),
  gpu: z.boolean().default(true),
  cwd: z.string().refine(isAbsolute, 'must be an absolute path').optional(),
  env: z.record(z.string().regex(/^[^=\0]+$/), z.string()).default({}),
})
const templates = z.record(z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'must be a name such as "montecarlo"'), template)

const heapMegabytes = 256
const handlerType = 'command_template'

/**
 * Reads the programs that the operator lets this worker run, by job type; a client cannot send one.
 * @param environment what the programs get beside what their template says
 * @throws QueueError config_invalid
 */
export function readCommandTemplates(
  file: string | null,
  environment: Readonly<Record<string, string>>,
): CommandTemplates {
  if (file === null) return new Map()
  const parsed = templates.safeParse(readJson(file))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw invalid(file, `${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'is not valid'}`)
  }
  const served = new Map<string, ServedType>()
  for (const [type, entry] of Object.entries(parsed.data)) {
    if ((ownTypeNames as readonly string[]).includes(type)) throw invalid(file, `"${type}" cannot be declared`)
    if (!isAbsolute(entry.argv[0] ?? '')) throw invalid(file, `${type}.argv: the program must be an absolute path`)
    served.set(type, servedTemplate(type, entry, environment))
  }
  return served
}

function servedTemplate(
  type: string,
  { argv, version, checkpoint_format: format, gpu, cwd, env }: z.infer<typeof template>,
  environment: Readonly<Record<string, string>>,
): ServedType {
  return {
    type,
    version,
    checkpointFormat: format ?? `${type}/${version}`,
    wantsGpu: gpu,
    handler: {
      type: handlerType,
      file: handlerFile(),
      revision: ownVersion,
      reusable: false,
      heapMegabytes,
    },
    environment: { ...environment, ...env },
    cwd: cwd ?? null,
    paramsOf: (input, resume) => ({
      argv: [...argv],
      request: {
        params: input.params as JsonObject,
        ...(input.unit === undefined ? {} : { unit: input.unit as Json }),
        job_id: input.job_id,
        unit_id: input.unit_id,
        position: input.position,
        attempt: input.attempt,
        seed: input.seed,
        dependencies: input.dependencies as JsonObject,
        resume: resume ?? null,
      },
    }),
  }
}

function handlerFile(): string {
  const here = fileURLToPath(new URL('../../workers/handlers/command-template.js', import.meta.url))
  // From source the built module is loaded: threads always run what ships.
  return import.meta.url.endsWith('.ts') ? here.replace(/([\\/])src([\\/]workers[\\/])/, '$1dist$2') : here
}

function readJson(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw invalid(file, (error as Error).message)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid(file, `it is not JSON: ${(error as Error).message}`)
  }
}

function invalid(file: string, why: string): QueueError {
  return new QueueError('config_invalid', `the commands of ${file} cannot be used: ${why}`, {
    remedy: 'Write it as {"montecarlo": {"argv": ["/path/to/program"], "version": "1", "gpu": true}}.',
  })
}
