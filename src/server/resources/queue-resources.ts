import type { ReadResourceResult, ServerContext } from '@modelcontextprotocol/server'
import type { ListJobTypesAnswer } from '../../domain/wire/jobs.ts'
import { quoted } from '../quoted.ts'
import type { ServedResources } from '../served.ts'
import { askManager, type LazyHost } from './ask-manager.ts'
import { boundedJson } from './bounded-json.ts'
import { notFound, readError } from './resource-errors.ts'
import { schemeOf } from './resource-uri.ts'

const statusUri = 'queue://status'
const typesUri = 'queue://types'
const shownRunning = 20

const resources = [
  {
    uri: statusUri,
    name: 'queue-status',
    title: 'State of the queue',
    description: 'The manager, its slots, queues, GPU workers, counts of jobs, what runs now, storage, warnings.',
    mimeType: 'application/json',
    annotations: { audience: ['user', 'assistant'] as ('user' | 'assistant')[], priority: 0.6 },
  },
  {
    uri: typesUri,
    name: 'job-types',
    title: 'What can be submitted',
    description: 'Every job type with an example and the JSON Schemas of its params, units and result.',
    mimeType: 'application/json',
    annotations: { audience: ['assistant'] as ('user' | 'assistant')[], priority: 0.4 },
  },
]

/** The queue as a whole. It is always listed, also while no manager runs; reading it starts one. */
export function queueResources(host: LazyHost): ServedResources {
  return {
    templates: [],
    list: async () => resources,

    async read(uri, context) {
      if (schemeOf(uri) !== 'queue') return null
      const named = uri.replace(/\/+$/, '').toLowerCase()
      try {
        if (named === statusUri) return await readStatus(host, uri, context)
        if (named === typesUri) return await readTypes(host, uri, context)
      } catch (error) {
        throw readError(uri, error)
      }
      throw notFound(uri, `${quoted(uri)} names nothing. Known are ${statusUri} and ${typesUri}; jobs are job://{id}.`)
    },
  }
}

async function readStatus(
  host: LazyHost,
  uri: string,
  { mcpReq: { signal } }: ServerContext,
): Promise<ReadResourceResult> {
  const status = await askManager(host, 'queue_status', {}, signal)
  const text = boundedJson(
    status,
    [(all) => ({ ...all, running: all.running.slice(0, shownRunning) })],
    'It was cut: list_jobs {"states":["running"]} shows all that runs.',
  )
  return { contents: [{ uri, mimeType: 'application/json', text }] }
}

async function readTypes(
  host: LazyHost,
  uri: string,
  { mcpReq: { signal } }: ServerContext,
): Promise<ReadResourceResult> {
  const types = await askManager(host, 'list_job_types', { detail: 'full' }, signal)
  const text = boundedJson(
    types,
    [each(withoutResultSchema), each(withoutSchemas)],
    `It was cut: list_job_types {"type":"${types.types[0]?.type ?? 'command'}"} shows one with its schemas.`,
  )
  return { contents: [{ uri, mimeType: 'application/json', text }] }
}

type ListedType = ListJobTypesAnswer['types'][number]

function each(change: (type: ListedType) => ListedType): (answer: ListJobTypesAnswer) => ListJobTypesAnswer {
  return (answer) => ({ ...answer, types: answer.types.map(change) })
}

function withoutResultSchema({ result_schema: _result, ...type }: ListedType): ListedType {
  return type
}

function withoutSchemas({
  params_schema: _params,
  unit_schema: _unit,
  defaults: _defaults,
  ...type
}: ListedType): ListedType {
  return type
}
