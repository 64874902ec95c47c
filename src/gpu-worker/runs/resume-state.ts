import type { Json } from '../../domain/job.ts'
import type { PredictionInput } from '../../domain/wire/prediction.ts'
import { Refused } from '../refused.ts'
import type { ServedType } from '../served-types.ts'
import type { FileStore } from '../storage/file-store.ts'

const largestCheckpointBytes = 17 * 1024 * 1024

/**
 * @returns where to go on from; undefined: from zero, and a line for the log when that is not what was asked for
 * @throws Refused file_missing, too_large, bad_request
 */
export function resumeState(
  { resume, type }: PredictionInput,
  { checkpointFormat }: ServedType,
  files: FileStore,
): { readonly state: Json | undefined; readonly note: string } {
  if (resume === null) return { state: undefined, note: '' }
  if (resume.format !== checkpointFormat) {
    const note = `nightkiln: the checkpoint has the format "${resume.format}"; "${type}" knows "${checkpointFormat}" here, so this starts from zero\n`
    return { state: undefined, note }
  }
  if (resume.sha256 === undefined) return { state: resume.inline as Json, note: '' }
  const text = files.readText(resume.sha256, largestCheckpointBytes, 'the checkpoint')
  try {
    return { state: JSON.parse(text) as Json, note: '' }
  } catch {
    throw new Refused('bad_request', `the checkpoint ${resume.sha256} is no JSON`, { status: 422 })
  }
}
