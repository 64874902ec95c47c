import {
  healthCheck,
  largestAnswerBytes,
  leaseHeader,
  type Prediction,
  prediction,
  predictionProtocol,
} from '../../domain/wire/prediction.ts'
import { type GetRequest, type WorkerClient, WorkerFault } from '../worker-client.ts'
import { fetchFile, hasFile, putFile, readFile } from './files.ts'
import { type Answer, dropAnswer, readWhole } from './read-answer.ts'
import { parseAs, parseSafeJson } from './safe-json.ts'
import { type ChannelOptions, createWorkerChannel, type Scrub, type WorkerChannel } from './worker-channel.ts'

/** Reads an answer as JSON. @throws WorkerFault protocol */
export async function readJson(answer: Answer, scrub: Scrub, maxBytes: number): Promise<unknown> {
  const bytes = await readWhole(answer, maxBytes)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new WorkerFault('protocol', 'NOT_JSON', 'its answer is not text')
  }
  return parseSafeJson(scrub(text))
}

async function readPrediction(
  answer: Answer,
  scrub: Scrub,
  expected: Pick<GetRequest, 'remoteId' | 'attemptToken'>,
): Promise<Prediction> {
  const found = parseAs(prediction, await readJson(answer, scrub, largestAnswerBytes))
  if (found.id !== expected.remoteId)
    throw new WorkerFault('protocol', 'WRONG_ID', 'it answered about another prediction')
  if (found.attempt_token !== expected.attemptToken) {
    throw new WorkerFault('protocol', 'WRONG_TOKEN', 'it answered about another attempt')
  }
  return found
}

/** The same, or null for 404. */
async function readKnown(
  answer: Answer,
  scrub: Scrub,
  expected: Pick<GetRequest, 'remoteId' | 'attemptToken'>,
): Promise<Prediction | null> {
  if (answer.statusCode !== 404) return readPrediction(answer, scrub, expected)
  dropAnswer(answer)
  return null
}

/** @returns a client of one worker, over at most four connections; the caller closes it */
export function createWorkerClient(
  options: ChannelOptions & { readonly worker: string },
): WorkerClient & { close(): Promise<void> } {
  const { timeouts } = options
  const channel = createWorkerChannel(options)
  return { ...clientOver(channel, options.worker, timeouts), close: () => channel.close() }
}

/** The same over a channel that is there already. */
export function clientOver(channel: WorkerChannel, worker: string, timeouts: ChannelOptions['timeouts']): WorkerClient {
  const maxBytes = largestAnswerBytes
  return {
    worker,
    health: (signal) =>
      channel.call({ method: 'GET', path: 'health-check', accept: [200], maxBytes, signal }, async (answer, scrub) => {
        const found = parseAs(healthCheck, await readJson(answer, scrub, maxBytes))
        if (found.protocol === predictionProtocol) return found
        throw new WorkerFault(
          'protocol',
          'WRONG_PROTOCOL',
          `it speaks protocol ${found.protocol}, not ${predictionProtocol}`,
        )
      }),
    put: (request, signal) =>
      channel.call(
        {
          method: 'PUT',
          path: `predictions/${request.remoteId}`,
          headers: {
            'content-type': 'application/json',
            prefer: 'respond-async',
            [leaseHeader]: String(request.leaseSeconds),
          },
          body: request.body,
          accept: [200, 201, 202],
          maxBytes,
          signal,
        },
        (answer, scrub) => readPrediction(answer, scrub, request),
      ),
    get: (request, signal) =>
      channel.call(
        {
          method: 'GET',
          path: `predictions/${request.remoteId}?logs_from=${request.logsFrom}`,
          headers: request.leaseSeconds === null ? {} : { [leaseHeader]: String(request.leaseSeconds) },
          accept: [200, 404],
          maxBytes,
          signal,
        },
        (answer, scrub) => readKnown(answer, scrub, request),
      ),
    cancel: (request, signal) =>
      channel.call(
        { method: 'POST', path: `predictions/${request.remoteId}/cancel`, accept: [200, 202, 404], maxBytes, signal },
        (answer, scrub) => readKnown(answer, scrub, request),
      ),
    forget: (remoteId, signal) =>
      channel.call(
        { method: 'DELETE', path: `predictions/${remoteId}`, accept: [200, 202, 204, 404], maxBytes, signal },
        (answer) => answer.body.dump(),
      ),
    hasFile: (sha256, signal) => hasFile(channel, sha256, signal),
    putFile: (sha256, bytes, signal) => putFile(channel, timeouts, sha256, bytes, signal),
    readFile: (sha256, most, signal) => readFile(channel, timeouts, sha256, most, signal),
    fetchFile: (sha256, bytes, target, signal) => fetchFile(channel, timeouts, { sha256, bytes, target }, signal),
  }
}
