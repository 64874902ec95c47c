import { attemptDirectory, type StatePaths } from '../../config/paths.ts'
import type { Prediction } from '../../domain/wire/prediction.ts'
import type { PredictionRecord } from '../storage/journal.ts'
import { logPiece } from './log-piece.ts'
import { fenceOf, type Run } from './run.ts'

/** What a client is told of a prediction. */
export interface Answer {
  readonly prediction: Prediction
  readonly isTerminal: boolean
}

/** @param run null: it has ended */
export async function answerOf(
  record: PredictionRecord,
  run: Run | null,
  logsFrom: number,
  { paths, bootId }: { readonly paths: Pick<StatePaths, 'attempts'>; readonly bootId: string },
): Promise<Answer> {
  const directory = attemptDirectory(paths, fenceOf(record))
  const log = await logPiece(directory, record.preamble, logsFrom)
  const seconds = run?.control === null || run === null ? record.predict_time : run.control.elapsedMs() / 1_000
  const prediction: Prediction = {
    id: record.id,
    status: record.status,
    attempt_token: record.attempt_token,
    boot_id: bootId,
    created_at: record.created_at,
    started_at: record.started_at,
    completed_at: record.completed_at,
    ...(record.output === undefined ? {} : { output: record.output }),
    ...(record.output_sha256 === undefined ? {} : { output_sha256: record.output_sha256 }),
    artifacts: record.artifacts,
    error: record.error,
    error_code: record.error_code,
    retry: record.retry,
    ...log,
    metrics: { progress: record.progress, ...(seconds === null ? {} : { predict_time: seconds }) },
    checkpoint: record.checkpoint,
    device: record.device,
    lease_expires_in_ms: run?.leaseLeftMs ?? null,
  }
  return { prediction, isTerminal: record.completed_at !== null }
}
