import { type PredictionInput, predictionInput, sha256 } from '../../domain/wire/prediction.ts'
import { Refused } from '../refused.ts'
import { canonicalHash } from '../storage/canonical-hash.ts'
import type { FileStore } from '../storage/file-store.ts'

/** An input that was a file may be so large: it is parsed as a whole. */
const largestInputBytes = 64 * 1024 * 1024
/** Also a part of the name of a directory. */
const unitId = /^[A-Za-z0-9_-]{1,64}$/

/** What a client wants to have run, before it is checked in full. */
export interface Wanted {
  readonly hash: string
  readonly file: string | null
  /** @throws Refused bad_request */
  input(): PredictionInput
}

/**
 * @param knownFile the input file of the prediction that has this id already; its content need not be here any more
 * @param knownHash of the input of that prediction
 * @throws Refused bad_request, file_missing, too_large
 */
export function readWanted(
  id: string,
  body: unknown,
  files: FileStore,
  known: { readonly inputFile: string | null; readonly inputHash: string } | null,
): Wanted {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Refused('bad_request', 'the body must be a JSON object')
  const { id: given, input, input_sha256: file } = body as Readonly<Record<string, unknown>>
  if (given !== undefined && given !== id)
    throw new Refused('bad_request', `the body says id ${JSON.stringify(given)}, the path ${JSON.stringify(id)}`, {
      status: 422,
    })
  if (file === undefined) return { hash: canonicalHash(input ?? null), file: null, input: () => parseInput(body) }
  if (!sha256.safeParse(file).success || input !== undefined)
    throw new Refused('bad_request', 'the body needs either input or input_sha256, a SHA-256 in hex', { status: 422 })
  const hash = file as string
  if (known !== null && known.inputFile === hash) {
    return { hash: known.inputHash, file: hash, input: () => parseInput({ input: readInput(files, hash) }) }
  }
  const value = readInput(files, hash)
  return { hash: canonicalHash(value), file: hash, input: () => parseInput({ input: value }) }
}

function readInput(files: FileStore, hash: string): unknown {
  const text = files.readText(hash, largestInputBytes, 'the input')
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new Refused('bad_request', `the file ${hash} is no JSON`, { status: 422 })
  }
}

function parseInput(body: unknown): PredictionInput {
  const parsed = predictionInput.safeParse((body as { readonly input?: unknown }).input)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const where = ['input', ...(issue?.path ?? [])].join('.')
    throw new Refused('bad_request', `${where}: ${issue?.message ?? 'is not valid'}`, { status: 422 })
  }
  if (!unitId.test(parsed.data.unit_id))
    throw new Refused('bad_request', 'input.unit_id must consist of letters, digits, - and _', { status: 422 })
  return parsed.data
}
