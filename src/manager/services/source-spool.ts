import { rmSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { statePaths } from '../../config/paths.ts'
import { spoolLimits } from '../../domain/enumeration.ts'
import type { Json } from '../../domain/job.ts'
import type { NewSource } from '../../domain/ports/source-store.ts'
import type { UnitSource } from '../../domain/wire/units.ts'
import { writeJsonLines } from '../../platform/json-lines-file.ts'
import { makeDirectory } from '../../platform/make-directory.ts'
import { runEnumerator } from '../runtime/enumerator.ts'
import type { ServiceContext } from './service-context.ts'

/** Units on disk that no job has yet. */
export interface Spool {
  /** Relative to the state directory, which may be moved or copied. */
  readonly file: string
  readonly total: number
  readonly first: Json
}

export type SpoolContext = Pick<ServiceContext, 'facts' | 'createId'>

/** Longest time for a source, ms: its submit is answered within 45 s. */
const longestEnumerationMs = 30_000
/** Files of submits that are on their way are younger. */
const orphanAgeMs = 10 * 60_000
const folder = 'sources'

/**
 * Enumerates a source in a process of its own.
 * @param cwd directory of the job: where a glob without root looks
 * @throws QueueError invalid_input naming pattern, file or query; limit_exceeded for too many, too long, too large
 */
export async function spoolSource(
  context: SpoolContext,
  source: UnitSource,
  cwd: string | null,
  limits: { readonly limitMs?: number; readonly heapMegabytes?: number } = {},
): Promise<Spool> {
  const { file, path } = newFile(context)
  const order = { source, cwd, file: path, limit_ms: limits.limitMs ?? longestEnumerationMs }
  const { total, first } = await runEnumerator(order, limits.heapMegabytes)
  return { file, total, first }
}

/** Writes units of a list that is too long to be kept in one row. @throws QueueError limit_exceeded */
export async function spoolUnits(context: SpoolContext, units: readonly Json[]): Promise<Spool> {
  const { file, path } = newFile(context)
  const { total, first } = await writeJsonLines(units, path, spoolLimits)
  return { file, total, first: first ?? null }
}

/** Removes the file of a source that no job took. */
export function discardSource(context: Pick<ServiceContext, 'facts'>, source: NewSource | null): void {
  if (source?.kind === 'spool') rmSync(join(context.facts.home, source.file), { force: true })
}

/**
 * Removes what a killed manager left: files that no open source refers to, but for those of the last minutes.
 * @param open files of sources that are not done
 * @returns how many were removed
 */
export async function removeOrphanSpools(
  home: string,
  open: ReadonlySet<string>,
  now: number = Date.now(),
): Promise<number> {
  const directory = statePaths(home).sources
  const names = await readdir(directory).catch(() => [])
  let removed = 0
  for (const name of names) {
    if (open.has(`${folder}/${name}`)) continue
    const path = join(directory, name)
    const written = await stat(path).catch(() => null)
    if (written === null || now - written.mtimeMs < orphanAgeMs) continue
    await rm(path, { force: true })
    removed += 1
  }
  return removed
}

function newFile({ facts, createId }: SpoolContext): { readonly file: string; readonly path: string } {
  makeDirectory(statePaths(facts.home).sources)
  const file = `${folder}/${createId()}.jsonl`
  return { file, path: join(facts.home, file) }
}
