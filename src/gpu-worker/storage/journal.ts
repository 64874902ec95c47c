import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import {
  device,
  predictionErrorCodes,
  predictionId,
  predictionStatuses,
  sha256,
  wireArtifact,
  wireCheckpoint,
} from '../../domain/wire/prediction.ts'
import { writeFileAtomic } from '../../platform/atomic-file.ts'
import { predictionFile, type WorkerPaths } from './worker-paths.ts'

/** What is kept of one prediction. Times are ISO 8601. */
const predictionRecord = z.object({
  id: predictionId,
  /** Of the value of `input`, in a canonical form. */
  input_hash: sha256,
  /** Of the file that the input was, when it was one. */
  input_file: sha256.nullable(),
  type: z.string(),
  version: z.string(),
  unit_id: z.string(),
  attempt: z.int(),
  /** Tells its attempt directory from any other. */
  nonce: z.string(),
  attempt_token: z.string().nullable(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  status: z.enum(predictionStatuses),
  checkpoint_format: z.string(),
  checkpoint: wireCheckpoint.nullable(),
  /** Tells which state of the checkpoint file `checkpoint` is; null: what was sent along. */
  checkpoint_mark: z.string().nullable(),
  /** Highest number of a checkpoint so far. */
  checkpoint_seq: z.int(),
  /** Said by the worker, before all output. */
  preamble: z.string(),
  output: z.json().optional(),
  output_sha256: sha256.optional(),
  artifacts: z.array(wireArtifact),
  error: z.string().nullable(),
  error_code: z.enum(predictionErrorCodes).nullable(),
  retry: z.union([z.enum(['policy', 'never']), z.object({ after_ms: z.number() })]).nullable(),
  progress: z
    .object({
      current: z.number(),
      total: z.number().nullable(),
      message: z.string().nullable(),
      stage: z.string().nullable(),
    })
    .nullable(),
  predict_time: z.number().nullable(),
  device: device.nullable(),
})
export type PredictionRecord = z.infer<typeof predictionRecord>

/** What is kept in memory of every prediction. */
export interface KeptFacts {
  readonly inputHash: string
  readonly inputFile: string | null
  /** Wall ms; null: it runs. */
  readonly completedAt: number | null
  /** Hashes of the files that it names. */
  readonly files: readonly string[]
  readonly attempt: Pick<PredictionRecord, 'unit_id' | 'attempt' | 'nonce'>
}

/** The predictions on disk, a file each; what is written is durable. */
export class Journal {
  readonly #paths: Pick<WorkerPaths, 'predictions'>
  readonly #kept = new Map<string, KeptFacts>()

  constructor(paths: Pick<WorkerPaths, 'predictions'>) {
    this.#paths = paths
  }

  /** Reads all. @returns those that have not ended; what cannot be read is removed, and named to `damaged` */
  open(damaged: (file: string) => void): readonly PredictionRecord[] {
    const unfinished: PredictionRecord[] = []
    for (const name of readdirSync(this.#paths.predictions)) {
      const file = join(this.#paths.predictions, name)
      const record = name.endsWith('.json') ? readRecord(file) : null
      if (record === null) {
        damaged(file)
        rmSync(file, { force: true, recursive: true })
        continue
      }
      this.#kept.set(record.id, factsOf(record))
      if (record.completed_at === null) unfinished.push(record)
    }
    return unfinished
  }

  find(id: string): KeptFacts | null {
    return this.#kept.get(id) ?? null
  }

  entries(): IterableIterator<[string, KeptFacts]> {
    return this.#kept.entries()
  }

  get size(): number {
    return this.#kept.size
  }

  /** @returns null when there is none, or it was damaged since */
  read(id: string): PredictionRecord | null {
    return this.#kept.has(id) ? readRecord(predictionFile(this.#paths, id)) : null
  }

  /** Durable when it returns. @throws the system's error; then nothing has changed */
  write(record: PredictionRecord): void {
    writeFileAtomic(predictionFile(this.#paths, record.id), JSON.stringify(record))
    this.#kept.set(record.id, factsOf(record))
  }

  remove(id: string): void {
    rmSync(predictionFile(this.#paths, id), { force: true })
    this.#kept.delete(id)
  }

  /** @returns true when a kept prediction names the file */
  names(hash: string): boolean {
    for (const facts of this.#kept.values()) if (facts.inputFile === hash || facts.files.includes(hash)) return true
    return false
  }
}

function factsOf(record: PredictionRecord): KeptFacts {
  const { unit_id, attempt, nonce, output_sha256, checkpoint, artifacts } = record
  const hashes = [output_sha256, checkpoint?.sha256, ...artifacts.map((artifact) => artifact.sha256)]
  return {
    inputHash: record.input_hash,
    inputFile: record.input_file,
    completedAt: record.completed_at === null ? null : Date.parse(record.completed_at),
    files: hashes.filter((hash) => hash !== undefined),
    attempt: { unit_id, attempt, nonce },
  }
}

function readRecord(file: string): PredictionRecord | null {
  try {
    return predictionRecord.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}
