import type { Device, PredictionInput } from '../../domain/wire/prediction.ts'
import type { ServedType } from '../served-types.ts'
import type { PredictionRecord } from '../storage/journal.ts'
import type { Wanted } from './prediction-request.ts'

export interface NewRecordFacts {
  readonly nonce: string
  /** ISO 8601. */
  readonly at: string
  /** What the worker says before all output. */
  readonly preamble: string
  /** Known from the start where there is no GPU. */
  readonly device: Device | null
}

/** @returns the record of a prediction that is about to run */
export function newRecord(
  id: string,
  wanted: Wanted,
  input: PredictionInput,
  { checkpointFormat }: ServedType,
  { nonce, at, preamble, device }: NewRecordFacts,
): PredictionRecord {
  return {
    id,
    input_hash: wanted.hash,
    input_file: wanted.file,
    type: input.type,
    version: input.version,
    unit_id: input.unit_id,
    attempt: input.attempt,
    nonce,
    attempt_token: input.attempt_token,
    created_at: at,
    started_at: at,
    completed_at: null,
    status: 'processing',
    checkpoint_format: checkpointFormat,
    checkpoint: null,
    checkpoint_mark: null,
    checkpoint_seq: input.resume?.seq ?? 0,
    preamble,
    artifacts: [],
    error: null,
    error_code: null,
    retry: null,
    progress: null,
    predict_time: null,
    device,
  }
}
