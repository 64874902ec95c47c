import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { QueueError } from '../domain/errors.ts'
import { type GpuWorkerEntry, gpuWorkerEntry, gpuWorkerName } from '../domain/wire/gpu.ts'
import { issueSentences } from '../domain/wire/invalid-input.ts'
import { writeFileAtomic } from '../platform/atomic-file.ts'
import { parseWorkerUrl } from './worker-url.ts'

const workersFile = z.strictObject({ workers: z.record(gpuWorkerName, gpuWorkerEntry).default({}) })

export type WorkerEntries = ReadonlyMap<string, GpuWorkerEntry>

const keyHint =
  'Put the key alone into a file that only you can read (chmod 600) and name it: "key": {"file": "/path/of/the.key"}. ' +
  'Then change the key at the worker, since this one was readable here.'

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

/** Other names under which people write a key down. */
const literalNames = ['key', 'api_key', 'apiKey', 'token', 'authorization']

/** @throws QueueError when an entry holds a key itself; the message does not repeat it */
function refuseLiteralKeys(file: string, json: unknown): void {
  for (const [name, entry] of Object.entries(record(record(json)['workers']))) {
    const literal = literalNames.find((key) => typeof record(entry)[key] === 'string')
    if (literal === undefined) continue
    throw new QueueError(
      'config_invalid',
      `${file}: workers.${name.slice(0, 40)}.${literal} holds a key itself; only where it is kept may stand here`,
      { remedy: keyHint },
    )
  }
}

/** @throws QueueError config_invalid; names the file and the bad place, never a value */
function parseEntries(file: string, text: string): WorkerEntries {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // The parser's words would quote the text around the mistake, which may be a key.
    throw new QueueError('config_invalid', `${file} is not JSON`, {
      remedy: 'Correct the file, or remove it and add the workers with "nightkiln gpu add".',
    })
  }
  refuseLiteralKeys(file, json)
  const parsed = workersFile.safeParse(json)
  if (parsed.success) {
    for (const [name, { url }] of Object.entries(parsed.data.workers)) checkUrl(file, name, url)
    return new Map(Object.entries(parsed.data.workers))
  }
  throw new QueueError(
    'config_invalid',
    `${file}: ${issueSentences(withoutValues(parsed.error.issues), { schema: workersFile, value: {}, keyNoun: 'key' })}`,
    { remedy: 'Correct it, or use "nightkiln gpu add": {"workers": {"rig": {"url": "https://rig.local:7801"}}}.' },
  )
}

function checkUrl(file: string, name: string, url: string): void {
  try {
    parseWorkerUrl(url)
  } catch (error) {
    if (!(error instanceof QueueError)) throw error
    throw new QueueError('config_invalid', `${file}: workers.${name}: ${error.message}`, { remedy: error.remedy })
  }
}

/** A mistyped value may be a secret. */
function withoutValues(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  return issues.map((issue) => ({ ...issue, input: undefined }) as z.core.$ZodIssue)
}

/** @returns what changes whenever the file does; null when there is none */
export function fingerprintOf(file: string): string | null {
  try {
    const { mtimeNs, size, ino } = statSync(file, { bigint: true })
    return `${mtimeNs}.${size}.${ino}`
  } catch {
    return null
  }
}

/** The GPU workers that a person configured. */
export interface WorkersFile {
  /** Reads the file again when it changed. @throws QueueError config_invalid */
  read(): WorkerEntries
  /** Replaces the file, 0600. */
  write(entries: WorkerEntries): void
}

export function createWorkersFile(file: string): WorkersFile {
  let known: { readonly fingerprint: string | null; readonly entries: WorkerEntries } | null = null
  function read(): WorkerEntries {
    // Taken before the text: a change in between is seen the next time.
    const fingerprint = fingerprintOf(file)
    if (known !== null && known.fingerprint === fingerprint) return known.entries
    const entries = fingerprint === null ? new Map<string, GpuWorkerEntry>() : parseEntries(file, readText(file))
    known = { fingerprint, entries }
    return entries
  }
  return {
    read,
    write: (entries) => {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      writeFileAtomic(file, `${JSON.stringify({ workers: Object.fromEntries(entries) }, null, 2)}\n`)
      known = null
    },
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new QueueError('config_invalid', `cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`)
  }
}
