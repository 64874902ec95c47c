import { Hono } from 'hono'
import { version } from '../../config/version.ts'
import { type HealthCheck, predictionProtocol } from '../../domain/wire/prediction.ts'
import { Refused } from '../refused.ts'
import { type ApiContext, type ApiOptions, idOf, originOf, shown, type WorkerApi } from './api-parts.ts'
import { assertAllowed } from './auth.ts'
import { fileRoutes } from './file-routes.ts'
import { leaseOf, logsFromOf, readJsonBody } from './read-request.ts'
import { replicateRoutes } from './replicate-routes.ts'

/** The prediction API of Cog and Replicate, with leases, retention and files. */
export function createApi(options: ApiOptions): WorkerApi {
  const { predictions, key, pace } = options
  const api: WorkerApi = new Hono()

  api.use(async (context, next) => {
    if (context.req.path !== '/') assertAllowed(context.env.incoming, key)
    await next()
  })

  api.get('/', (context) => context.json(discoveryOf(context)))
  api.get('/health-check', async (context) => context.json(await healthOf(options)))

  api.put('/predictions/:id', async (context) => {
    const lease = leaseOf(context.env.incoming)
    const id = idOf(context)
    const body = await readJsonBody(context.env.incoming, pace)
    const answer = await predictions.put(id, body, lease)
    return shown(context, answer, answer.isTerminal ? 200 : 202)
  })

  api.get('/predictions/:id', async (context) => {
    const logsFrom = logsFromOf(context.req.query('logs_from'))
    return shown(context, await predictions.get(idOf(context), leaseOf(context.env.incoming), logsFrom), 200)
  })

  api.post('/predictions/:id/cancel', async (context) => shown(context, await predictions.cancel(idOf(context)), 200))

  api.delete('/predictions/:id', async (context) => {
    await predictions.forget(idOf(context))
    return context.body(null, 204)
  })

  fileRoutes(api, options)
  replicateRoutes(api, options)

  api.notFound((context) =>
    refusedAnswer(context, new Refused('not_found', `nothing is at ${context.req.path.slice(0, 200)}`)),
  )
  api.onError((error, context) => {
    if (error instanceof Refused) return refusedAnswer(context, error)
    options.log.error({ err: error, path: context.req.path }, 'a request failed unexpectedly')
    return refusedAnswer(
      context,
      new Refused('not_ready', 'the worker failed to answer; its log says why', { status: 500 }),
    )
  })
  return api
}

function refusedAnswer(context: ApiContext, error: Refused): Response {
  if (error.retryAfterS !== null) context.header('retry-after', String(error.retryAfterS))
  if (error.status === 401) context.header('www-authenticate', 'Bearer')
  context.header('content-type', 'application/problem+json')
  const { code, status, message: detail } = error
  // What was not read of a body is in the way of the next request.
  if (!context.env.incoming.complete) context.header('connection', 'close')
  return context.body(JSON.stringify({ status, code, title: code.replaceAll('_', ' '), detail }), status as 400)
}

function discoveryOf(context: ApiContext): object {
  const origin = originOf(context)
  return {
    cog_version: 'nightkiln',
    nightkiln_worker: version,
    health_check_url: `${origin}/health-check`,
    predictions_url: `${origin}/predictions`,
    predictions_idempotent_url: `${origin}/predictions/{prediction_id}`,
    predictions_get_url: `${origin}/predictions/{prediction_id}`,
    predictions_cancel_url: `${origin}/predictions/{prediction_id}/cancel`,
    files_url: `${origin}/files/{sha256}`,
  }
}

async function healthOf({ predictions, gpus, types, slots, bootId }: ApiOptions): Promise<HealthCheck> {
  const list = await gpus.list()
  const free = predictions.isClosing ? 0 : predictions.freeSlots
  return {
    status: predictions.isClosing ? 'DEFUNCT' : free === 0 ? 'BUSY' : 'READY',
    protocol: predictionProtocol,
    version,
    boot_id: bootId,
    slots: { total: slots, free },
    gpus: [...list],
    job_types: Object.fromEntries(
      types
        .all()
        .map(({ type, version: typeVersion, checkpointFormat, wantsGpu }) => [
          type,
          { version: typeVersion, checkpoint_format: checkpointFormat, gpu: wantsGpu && gpus.compute === 'gpu' },
        ]),
    ),
  }
}
