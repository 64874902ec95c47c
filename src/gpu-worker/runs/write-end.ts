import { join } from 'node:path'
import type { Json } from '../../domain/job.ts'
import { inlineBytes, largestFileBytes, type Prediction } from '../../domain/wire/prediction.ts'
import type { FileStore } from '../storage/file-store.ts'
import type { PredictionRecord } from '../storage/journal.ts'
import { type EndFacts, workerError } from './end-facts.ts'
import type { Run } from './run.ts'

const mostArtifacts = 1_000

/**
 * Puts what a run leaves where clients can fetch it.
 * @returns the record of its end
 * @throws the system's error when it cannot be kept now
 */
export async function finishedRecord(
  run: Run,
  facts: EndFacts,
  files: FileStore,
  now: number,
): Promise<PredictionRecord> {
  const { artifacts, output, elapsedMs } = facts
  if (artifacts.length > mostArtifacts) {
    const message = `it made ${artifacts.length} artifacts; at most ${mostArtifacts} can be handed over`
    return await finishedRecord(run, workerError(message, elapsedMs), files, now)
  }
  const handedOver: Prediction['artifacts'] = []
  for (const { name, mediaType, bytes, sha256 } of artifacts) {
    if (bytes > largestFileBytes) {
      const message = `the artifact "${name}" is ${bytes} bytes; at most ${largestFileBytes} can be handed over`
      return await finishedRecord(run, workerError(message, elapsedMs), files, now)
    }
    await files.keepFile(join(run.directory, 'artifacts', name), sha256)
    handedOver.push({ name, media_type: mediaType, bytes, sha256 })
  }
  return {
    ...run.record,
    status: facts.status,
    completed_at: new Date(now).toISOString(),
    ...(output === undefined ? {} : await placedOutput(output, files)),
    artifacts: handedOver,
    error: facts.error,
    error_code: facts.errorCode,
    retry: facts.retry,
    predict_time: elapsedMs / 1_000,
  }
}

async function placedOutput(
  output: Json,
  files: FileStore,
): Promise<{ readonly output: Json } | { readonly output_sha256: string }> {
  const text = JSON.stringify(output)
  if (Buffer.byteLength(text) <= inlineBytes) return { output }
  return { output_sha256: await files.keepText(text) }
}
