import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from '../../domain/job.ts'
import type { ArtifactFacts } from '../../domain/ports/attempt.ts'
import { largestFileBytes, type Prediction } from '../../domain/wire/prediction.ts'
import { makeDirectory } from '../../platform/make-directory.ts'
import { parseSafeJson } from '../http/safe-json.ts'
import { WorkerFault } from '../worker-client.ts'
import type { AttemptRun } from './attempt-run.ts'

/** As of a local attempt; what is larger becomes an artifact there, too. */
const largestResultBytes = 64 * 1024 * 1024
/** Of all artifacts of an attempt. */
const largestTotalBytes = 4 * largestFileBytes
const longestName = 200
const folder = 'artifacts'

export interface FetchedResult {
  readonly result: Json
  readonly artifacts: readonly ArtifactFacts[]
}

/**
 * Brings home what a prediction made: artifacts to `<attempt directory>/artifacts`, each with its size and hash checked.
 * @param signal gives up what is under way
 * @throws WorkerFault; `protocol` for names, sizes and texts that no worker sends
 */
export async function fetchResult(run: AttemptRun, found: Prediction, signal: AbortSignal): Promise<FetchedResult> {
  checkArtifacts(found)
  const artifacts: ArtifactFacts[] = []
  for (const { name, media_type, bytes, sha256 } of found.artifacts) {
    const directory = join(run.task.directory, folder)
    makeDirectory(directory)
    const target = join(directory, name)
    if (!(await isThere(target, bytes, sha256)))
      await run.ask((client) => client.fetchFile(sha256, bytes, target, signal))
    artifacts.push({ name, mediaType: media_type, bytes, sha256 })
  }
  return { result: await resultOf(run, found, signal), artifacts }
}

async function resultOf(
  run: AttemptRun,
  { output, output_sha256: sha256 }: Prediction,
  signal: AbortSignal,
): Promise<Json> {
  if (sha256 === undefined) return output ?? null
  const bytes = await run.ask((client) => client.readFile(sha256, largestResultBytes, signal))
  return parseSafeJson(Buffer.from(bytes).toString('utf8')) as Json
}

function checkArtifacts({ artifacts }: Prediction): void {
  const names = new Set<string>()
  let total = 0
  for (const { name, bytes } of artifacts) {
    // A plain file name, on every system.
    if (name === '.' || name === '..' || /[/\\:\p{Cc}\p{Cs}]/u.test(name) || Buffer.byteLength(name) > longestName)
      throw lie('WRONG_NAME', 'an artifact of it has a name that no file may have')
    if (names.has(name.toLowerCase())) throw lie('SAME_NAME', 'two artifacts of it have the same name')
    names.add(name.toLowerCase())
    total += bytes
    if (bytes > largestFileBytes || total > largestTotalBytes) throw lie('TOO_LARGE', 'its artifacts are too large')
  }
}

/** From an earlier try: a large one is not fetched again because a later one failed. */
async function isThere(file: string, bytes: number, sha256: string): Promise<boolean> {
  if (bytes > largestResultBytes) return false
  try {
    const found = await readFile(file)
    return found.length === bytes && createHash('sha256').update(found).digest('hex') === sha256
  } catch {
    return false
  }
}

function lie(code: string, message: string): WorkerFault {
  return new WorkerFault('protocol', code, message)
}
