import { z } from 'zod'
import {
  discovery,
  healthCheck,
  inlineBytes,
  largestAnswerBytes,
  largestFileBytes,
  leaseHeader,
  logPieceBytes,
  prediction,
  predictionId,
  predictionProtocol,
  predictionRequest,
  refusal,
  sha256,
} from '../../src/domain/wire/prediction.ts'

type Json = Readonly<Record<string, unknown>>

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

/** Of a schema that stands under components; its own definitions are found from the top of the page. */
function component(name: string, schema: z.ZodType, io: 'input' | 'output' = 'output'): Json {
  const text = JSON.stringify(schemaOf(schema, io))
  return { [name]: JSON.parse(text.replaceAll('"#/$defs/', `"#/components/schemas/${name}/$defs/`)) as Json }
}

const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })
const json = (name: string): Json => ({ 'application/json': { schema: reference(name) } })
const bytes: Json = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } }
const refused = (description: string): Json => ({
  description,
  content: { 'application/problem+json': { schema: reference('Refusal') } },
})
const told = (description: string, name = 'Prediction'): Json => ({ description, content: json(name) })

const keyRefused = refused('`key_refused`: the key is missing or wrong')
const unknownId = refused('`not_found`: never heard of, deleted, or kept long enough')

const id: Json = { name: 'id', in: 'path', required: true, schema: schemaOf(predictionId, 'input') }
const hash: Json = { name: 'sha256', in: 'path', required: true, schema: schemaOf(sha256, 'input') }
const lease: Json = {
  name: 'Worker-Lease',
  in: 'header',
  description: `Whole seconds from now for which the run may go on unheard of; renews. Left out: nothing is renewed, and a run made without it has no lease. In lower case: \`${leaseHeader}\`.`,
  schema: { type: 'integer', minimum: 1 },
}

const retryAfter: Json = {
  'Retry-After': { required: true, description: 'Seconds', schema: { type: 'integer', minimum: 1 } },
}

const paths: Json = {
  '/': {
    get: {
      operationId: 'discover',
      summary: 'Addresses of the protocol',
      responses: { 200: told('Found', 'Discovery') },
    },
  },
  '/health-check': {
    get: {
      operationId: 'checkHealth',
      summary: 'Slots, GPUs and job types',
      responses: { 200: told('As it is now', 'HealthCheck'), 401: keyRefused },
    },
  },
  '/predictions/{id}': {
    parameters: [id],
    put: {
      operationId: 'putPrediction',
      summary: 'Run an input once; the same request may be sent again at any time',
      parameters: [lease, { name: 'Prefer', in: 'header', schema: { const: 'respond-async' } }],
      requestBody: { required: true, content: json('PredictionRequest') },
      responses: {
        200: told('It had ended: what was stored; nothing ran again'),
        202: told('Accepted, or running already'),
        400: refused('`bad_request`: the body or a header cannot be read'),
        401: keyRefused,
        409: { ...refused('`busy`: no slot is free, and nothing was kept'), headers: retryAfter },
        413: refused('`too_large`'),
        422: refused('`input_differs`, `unknown_type`, `unknown_version`, `file_missing` or `bad_request`'),
        503: { ...refused('`not_ready`'), headers: retryAfter },
      },
    },
    get: {
      operationId: 'getPrediction',
      summary: 'State, progress, checkpoint, log and result',
      parameters: [
        lease,
        {
          name: 'logs_from',
          in: 'query',
          description: `Byte of the log to begin at; ${logPieceBytes} bytes at most come at once.`,
          schema: { type: 'integer', minimum: 0, default: 0 },
        },
      ],
      responses: { 200: told('As it is now'), 401: keyRefused, 404: unknownId },
    },
    delete: {
      operationId: 'deletePrediction',
      summary: 'Forget it, with its result',
      responses: { 204: { description: 'Forgotten' }, 401: keyRefused, 404: unknownId },
    },
  },
  '/predictions/{id}/cancel': {
    parameters: [id],
    post: {
      operationId: 'cancelPrediction',
      summary: 'End it; may be repeated, and changes nothing after the end',
      responses: { 200: told('As it is now'), 401: keyRefused, 404: unknownId },
    },
  },
  '/files/{sha256}': {
    parameters: [hash],
    head: {
      operationId: 'hasFile',
      summary: 'Whether it is there, and its size',
      responses: {
        200: { description: 'It is there' },
        401: { description: 'Key refused' },
        404: { description: 'Not there' },
      },
    },
    put: {
      operationId: 'putFile',
      summary: `Keep a file of at most ${largestFileBytes} bytes`,
      requestBody: { required: true, content: bytes },
      responses: {
        '2XX': { description: 'Kept, or there already' },
        401: keyRefused,
        413: refused('`too_large`'),
        422: refused('`hash_differs`: the bytes have another SHA-256; nothing was kept'),
      },
    },
    get: {
      operationId: 'getFile',
      summary: 'Its bytes',
      responses: {
        200: { description: 'The bytes', content: bytes },
        401: keyRefused,
        404: refused('`not_found`'),
      },
    },
  },
}

/** @returns docs/gpu-worker.openapi.json: the protocol between manager and GPU worker, from its schemas. */
export function gpuWorkerOpenApi(): string {
  const page = {
    openapi: '3.1.0',
    info: {
      title: 'Nightkiln GPU worker',
      version: String(predictionProtocol),
      description: `The prediction API of Cog and Replicate with a lease, retention and files: docs/gpu-worker.md. Protocol ${predictionProtocol}. Inputs, outputs and checkpoints over ${inlineBytes} bytes travel as files; an answer has at most ${largestAnswerBytes} bytes.`,
    },
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
      schemas: {
        ...component('Discovery', discovery),
        ...component('HealthCheck', healthCheck),
        ...component('PredictionRequest', predictionRequest, 'input'),
        ...component('Prediction', prediction),
        ...component('Refusal', refusal),
      },
    },
  }
  return `${JSON.stringify(page, null, 2)}\n`
}
