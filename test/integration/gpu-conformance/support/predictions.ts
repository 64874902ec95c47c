import { type HealthCheck, healthCheck, type Prediction, prediction } from '../../../../src/domain/wire/prediction.ts'
import { waitUntil } from '../../../support/wait-until.ts'
import type { RunningWorker } from './running-worker.ts'

type Asked = Pick<RunningWorker, 'url' | 'key'>

async function ask({ url, key }: Asked, method: string, id: string, body?: unknown): Promise<Prediction> {
  const response = await fetch(new URL(`/predictions/${id}`, url), {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${id}: HTTP ${response.status} ${text}`)
  return prediction.parse(JSON.parse(text))
}

/** Makes a prediction without a lease. */
export function put(
  worker: Asked,
  id: string,
  params: unknown,
  input: Readonly<Record<string, unknown>> = {},
): Promise<Prediction> {
  const fixed = { job_id: 'job', unit_id: 'unit', position: 0, attempt: 1, attempt_token: 'token', seed: 7 }
  return ask(worker, 'PUT', id, { input: { type: 'sleep', version: '1', ...fixed, params, ...input } })
}

export function get(worker: Asked, id: string): Promise<Prediction> {
  return ask(worker, 'GET', id)
}

export function untilEnded(worker: Asked, id: string): Promise<Prediction> {
  return waitUntil(
    async () => {
      const seen = await get(worker, id)
      return seen.completed_at === null ? null : seen
    },
    { what: `the end of ${id}` },
  )
}

export async function health({ url, key }: Asked): Promise<HealthCheck> {
  const response = await fetch(new URL('/health-check', url), { headers: { authorization: `Bearer ${key}` } })
  return healthCheck.parse(await response.json())
}
