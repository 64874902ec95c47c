import type { Statement } from 'better-sqlite3'
import type { Fence } from '../domain/job.ts'
import type { StoredArtifact } from '../domain/ports/artifact-store.ts'
import type { ArtifactFacts } from '../domain/ports/attempt.ts'
import { fenceBinds } from './claims.ts'
import type { Binds, Prepare } from './statement-loader.ts'

interface ArtifactRow {
  unit_id: string
  position: number
  attempt: number
  nonce: string
  name: string
  media_type: string
  bytes: number
  sha256: string
}

/** The files that attempts made. */
export class Artifacts {
  readonly #record: Statement<[Binds]>
  readonly #isHeld: Statement<[Binds], { held: 1 }>
  readonly #ofJob: Statement<[Binds], ArtifactRow>
  readonly #ofUnit: Statement<[Binds], ArtifactRow>

  constructor(prepare: Prepare) {
    this.#record = prepare('record_artifacts')
    this.#isHeld = prepare<{ held: 1 }>('is_unit_held')
    this.#ofJob = prepare<ArtifactRow>('read_artifacts_of_job')
    this.#ofUnit = prepare<ArtifactRow>('read_artifacts_of_unit')
  }

  record(fence: Fence, artifacts: readonly ArtifactFacts[]): boolean {
    if (artifacts.length === 0) return this.#isHeld.get(fenceBinds(fence)) !== undefined
    const made = artifacts.map(({ name, mediaType, bytes, sha256 }) => [name, mediaType, bytes, sha256])
    return this.#record.run({ ...fenceBinds(fence), artifacts: JSON.stringify(made) }).changes > 0
  }

  read(jobId: string, unitId: string | undefined, limit: number): StoredArtifact[] {
    const rows =
      unitId === undefined
        ? this.#ofJob.all({ job_id: jobId, limit })
        : this.#ofUnit.all({ job_id: jobId, unit_id: unitId, limit })
    return rows.map(toArtifact)
  }
}

function toArtifact(row: ArtifactRow): StoredArtifact {
  const { unit_id: unitId, position, attempt, nonce, name, media_type: mediaType, bytes, sha256 } = row
  return { unitId, position, attempt, nonce, name, mediaType, bytes, sha256 }
}
