import { z } from 'zod'
import { seedOfUnit } from '../../platform/unit-seed.ts'
import { Refused } from '../refused.ts'
import type { Answer } from '../runs/answer.ts'
import { type ApiContext, type ApiOptions, shown, type WorkerApi } from './api-parts.ts'
import { readJsonBody, waitOf } from './read-request.ts'

const body = z.looseObject({ version: z.string().optional(), input: z.looseObject({}) })
const lookMs = 100

/** What clients of Replicate use: the worker makes the id, `input` are the parameters, and a call may wait for the end. */
export function replicateRoutes(api: WorkerApi, options: ApiOptions): void {
  api.post('/predictions', async (context) => {
    const { version, input } = await readBody(context, options)
    return await create(context, options, input, version ?? null)
  })

  api.post('/models/:owner/:name/predictions', async (context) => {
    const { input } = await readBody(context, options)
    return await create(context, options, input, context.req.param('name'))
  })
}

async function readBody(context: ApiContext, { pace }: ApiOptions): Promise<z.infer<typeof body>> {
  const parsed = body.safeParse(await readJsonBody(context.env.incoming, pace))
  if (!parsed.success) throw new Refused('bad_request', 'the body must have input, an object', { status: 422 })
  return parsed.data
}

async function create(
  context: ApiContext,
  { predictions, types, newId }: ApiOptions,
  input: Readonly<Record<string, unknown>>,
  name: string | null,
): Promise<Response> {
  const id = newId()
  const isWhole = typeof input['type'] === 'string' && typeof input['params'] === 'object'
  const type = isWhole
    ? String(input['type'])
    : typeOf(
        name,
        types.all().map(({ type }) => type),
      )
  const served = types.find(type)
  if (served === null) throw new Refused('unknown_type', `this worker does not serve the job type "${type}"`)
  const defaults = {
    version: served.version,
    job_id: id,
    unit_id: id,
    position: 0,
    attempt: 1,
    attempt_token: id,
    seed: seedOfUnit(id),
  }
  const whole = isWhole ? { ...defaults, ...input } : { ...defaults, type, params: input }
  let answer = await predictions.put(id, { input: whole }, null)
  const until = performance.now() + waitOf(context.env.incoming)
  while (!answer.isTerminal && performance.now() < until && !context.req.raw.signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, lookMs))
    answer = await predictions.get(id, null, 0)
  }
  return shown(context, answer satisfies Answer, 201, { model: type, version: served.version, input })
}

/** "owner/name", "name" or "name:version"; of Replicate's own hashes nothing is known. */
function typeOf(name: string | null, known: readonly string[]): string {
  const bare = name?.split('/').at(-1)?.split(':')[0] ?? ''
  if (bare === '') {
    throw new Refused('unknown_type', `version must name a job type of this worker: ${known.join(', ')}`)
  }
  return bare
}
