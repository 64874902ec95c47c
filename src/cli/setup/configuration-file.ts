import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { QueueError } from '../../domain/errors.ts'
import { writeFileAtomic } from '../../platform/atomic-file.ts'
import type { ConfigurationTarget } from './client-files.ts'
import { strictJson } from './json-comments.ts'
import { removeProperty, setProperty } from './json-text.ts'
import { type Entry, serverName } from './server-entry.ts'

export type ConfigurationState =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'read'; readonly text: string; readonly entry: unknown }

const byteOrderMark = '\ufeff'

/** @returns what a client's file says of this server; never throws. */
export function readConfiguration(target: Pick<ConfigurationTarget, 'file' | 'key' | 'comments'>): ConfigurationState {
  let text: string
  try {
    text = readFileSync(target.file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? { kind: 'missing' } : { kind: 'unreadable', reason: message }
  }
  const body = text.replace(byteOrderMark, '')
  if (body.trim() === '') return { kind: 'read', text, entry: undefined }
  let value: unknown
  try {
    value = JSON.parse(target.comments ? strictJson(body) : body)
  } catch (error) {
    const reason = isJson(strictJson(body))
      ? 'it has comments or trailing commas, which this client does not take'
      : `it is not JSON: ${(error as Error).message}`
    return { kind: 'unreadable', reason }
  }
  if (!isObject(value)) return { kind: 'unreadable', reason: 'it is not a JSON object' }
  const servers = value[target.key]
  if (servers !== undefined && !isObject(servers))
    return { kind: 'unreadable', reason: `its "${target.key}" is not an object` }
  return { kind: 'read', text, entry: servers?.[serverName] }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export interface PlannedChange {
  /** null: there is no file yet. */
  readonly before: string | null
  readonly after: string
}

/**
 * @param entry null removes the server
 * @returns the new text of the file, or null when it already says so
 * @throws QueueError config_invalid for a file that cannot be changed without damage
 */
export function planChange(target: ConfigurationTarget, entry: Entry | null): PlannedChange | null {
  const state = readConfiguration(target)
  if (state.kind === 'unreadable') {
    throw new QueueError('config_invalid', `${target.file} was left alone: ${state.reason}`, {
      remedy:
        entry === null
          ? `Remove "${serverName}" from "${target.key}" by hand.`
          : `Add this by hand: ${snippet(target, entry)}`,
    })
  }
  if (state.kind === 'missing') return entry === null ? null : { before: null, after: `${snippet(target, entry)}\n` }
  if (entry === null ? state.entry === undefined : isDeepStrictEqual(state.entry, entry)) return null
  const mark = state.text.startsWith(byteOrderMark) ? byteOrderMark : ''
  const body = state.text.slice(mark.length)
  const path = [target.key, serverName]
  const base = body.trim() === '' ? '{}\n' : body
  const after = entry === null ? removeProperty(base, path) : setProperty(base, path, entry)
  assertOnlyOurs(target, base, after, entry)
  return { before: state.text, after: mark + after }
}

/** The text was cut and joined by hand, so the result is compared with what JSON itself makes of it. */
function assertOnlyOurs(target: ConfigurationTarget, before: string, after: string, entry: Entry | null): void {
  const expected = JSON.parse(strictJson(before)) as Record<string, Record<string, unknown>>
  const servers = expected[target.key] ?? {}
  if (entry === null) delete servers[serverName]
  else {
    servers[serverName] = entry
    expected[target.key] = servers
  }
  if (isDeepStrictEqual(JSON.parse(strictJson(after)), expected)) return
  throw new QueueError('internal', `${target.file} could not be changed safely and was left alone`)
}

/** @returns the smallest whole file with this server, as text. */
export function snippet(target: Pick<ConfigurationTarget, 'key'>, entry: Entry): string {
  return JSON.stringify({ [target.key]: { [serverName]: entry } }, null, 2)
}

/**
 * Writes a planned change: a copy of the old file beside it first, then the new one in one step.
 * @param stamp for the name of the copy
 * @returns the path of the copy, null when there was no file
 * @throws QueueError config_invalid when the folder or the file cannot be written
 */
export function applyChange(file: string, change: PlannedChange, stamp: string): string | null {
  try {
    mkdirSync(dirname(file), { recursive: true })
    // A link into a folder of settings files stays a link.
    const real = existsSync(file) ? realpathSync(file) : file
    const mode = existsSync(real) ? statSync(real).mode & 0o777 : 0o600
    const backup = keepCopy(file, stamp)
    writeFileAtomic(real, change.after)
    chmodSync(real, mode)
    return backup
  } catch (error) {
    throw new QueueError('config_invalid', `${file} could not be written: ${(error as Error).message}`, {
      remedy: 'Correct the permissions of the file and its folder, or use --print and edit by hand.',
      cause: error,
    })
  }
}

/** Copies a file beside itself, with its permissions. @returns the path of the copy, null when there is no file. */
export function keepCopy(file: string, stamp: string): string | null {
  if (!existsSync(file)) return null
  const real = realpathSync(file)
  const copy = freeName(`${real}.nightkiln-backup-${stamp}`)
  copyFileSync(real, copy, constants.COPYFILE_EXCL)
  return copy
}

function freeName(wanted: string): string {
  let name = wanted
  for (let number = 2; existsSync(name); number += 1) name = `${wanted}-${number}`
  return name
}
