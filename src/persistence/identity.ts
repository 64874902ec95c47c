import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { QueueError } from '../domain/errors.ts'

const markerSchema = z.object({
  instance_id: z.string().min(1),
  high_water: z.int().min(0),
  created_at: z.int(),
  home: z.string().optional(),
})

/** The marker beside the database: which instance the state directory is, and how many events it had at least. */
export interface Identity {
  readonly instanceId: string
  /** Highest event id known to have been committed. */
  readonly highWater: number
  readonly createdAt: number
  /** Device and inode of the state directory it was last used in; null when that was never noted. */
  readonly home: string | null
}

/** What the identity check needs of a store. */
export interface IdentifiedStore {
  instanceId(): string | null
  adoptInstanceId(instanceId: string, now: number): void
  lastEventId(): number
  raiseEventSequence(eventId: number): void
}

/** @returns the marker, or null when there is none. @throws QueueError storage_refused when it cannot be understood */
export function readIdentity(file: string): Identity | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw thrown
  }
  try {
    const marker = markerSchema.parse(JSON.parse(text))
    return {
      instanceId: marker.instance_id,
      highWater: marker.high_water,
      createdAt: marker.created_at,
      home: marker.home ?? null,
    }
  } catch (thrown) {
    throw new QueueError('storage_refused', `the instance marker ${file} cannot be read: it is damaged`, {
      remedy: `Run nightkiln doctor; if the database is right, remove ${file} and start again.`,
      cause: thrown,
    })
  }
}

/**
 * Reads the identity of the state directory, making it on the very first start: first in the database, then in the marker,
 * so that a crash between the two leaves nothing to refuse. Call it after `openJobStore` and `checkIdentityAtStart`.
 * @param instanceId used when neither has one, and in a copy of the state directory
 * @param home device and inode of the state directory; null leaves it out of account
 */
export function readOrCreateIdentity(
  store: IdentifiedStore,
  file: string,
  instanceId: string,
  now: number,
  home: string | null = null,
): Identity {
  const marker = readIdentity(file)
  if (marker !== null) {
    if (home === null || home === marker.home) return marker
    // A copy is another instance: the original's processes carry the old id and are none of its business.
    const isCopy = marker.home !== null
    if (isCopy) store.adoptInstanceId(instanceId, now)
    const identity = { ...marker, home, ...(isCopy ? { instanceId } : {}) }
    writeIdentity(file, identity)
    return identity
  }
  const stored = store.instanceId()
  if (stored === null) store.adoptInstanceId(instanceId, now)
  const identity = { instanceId: stored ?? instanceId, highWater: store.lastEventId(), createdAt: now, home }
  writeIdentity(file, identity)
  return identity
}

/**
 * Compares database and marker: a deleted WAL, an emptied file or an old backup opens as a healthy database and would
 * forget acknowledged jobs without a word (reliability D16).
 * @throws QueueError storage_refused, naming what differs
 */
export function checkIdentityAtStart(store: IdentifiedStore, file: string): void {
  const marker = readIdentity(file)
  if (marker === null) return
  const instanceId = store.instanceId()
  if (instanceId === null) {
    throw refused(
      file,
      `the database is empty, but this state directory had ${marker.highWater} events: it was deleted or emptied`,
    )
  }
  if (instanceId !== marker.instanceId) {
    throw refused(
      file,
      `the database belongs to instance ${instanceId}, but this state directory is instance ${marker.instanceId}`,
    )
  }
  const events = store.lastEventId()
  if (events < marker.highWater) {
    throw refused(
      file,
      `the database ends at event ${events}, but event ${marker.highWater} was committed before: an older copy was put in its place, or its -wal file was deleted`,
    )
  }
}

/** @throws QueueError storage_refused when there is a marker, so that no empty database is created in place of a lost one */
export function refuseMissingDatabase(databaseFile: string, file: string): void {
  const marker = readIdentity(file)
  if (marker === null) return
  throw refused(file, `${databaseFile} is missing or empty, but this state directory had ${marker.highWater} events`)
}

/** Raises the high-water mark in the marker, never lowers it; writes only when it grows. @returns the identity after it */
export function raiseHighWater(file: string, identity: Identity, eventId: number): Identity {
  if (eventId <= identity.highWater) return identity
  const raised = { ...identity, highWater: eventId }
  writeIdentity(file, raised)
  return raised
}

/**
 * A person says: the database as it is now is the right one, a backup put back on purpose. Marker and database are brought
 * together; event ids given out before are not given again, so cursors of clients stay valid.
 */
export function acceptRestoredDatabase(
  file: string,
  store: IdentifiedStore,
  instanceId: string,
  now: number,
): Identity {
  const marker = readIdentity(file)
  if (store.instanceId() === null) store.adoptInstanceId(marker?.instanceId ?? instanceId, now)
  if (marker !== null) store.raiseEventSequence(marker.highWater)
  const identity = {
    instanceId: store.instanceId() ?? instanceId,
    highWater: store.lastEventId(),
    createdAt: marker?.createdAt ?? now,
    home: marker?.home ?? null,
  }
  writeIdentity(file, identity)
  return identity
}

/** Device and inode of a file: the same path may come to mean another file. */
export interface FileIdentity {
  readonly device: bigint
  readonly inode: bigint
}

/** @returns device and inode as they are now. @throws when the file does not exist */
export function captureFileIdentity(databaseFile: string): FileIdentity {
  const { dev, ino } = statSync(databaseFile, { bigint: true })
  return { device: dev, inode: ino }
}

/** @returns false when the file is gone or another one; true means: still the one that was captured. */
export function isSameFile(databaseFile: string, captured: FileIdentity): boolean {
  const now = statSync(databaseFile, { bigint: true, throwIfNoEntry: false })
  return now !== undefined && now.dev === captured.device && now.ino === captured.inode
}

function writeIdentity(file: string, identity: Identity): void {
  const marker = {
    instance_id: identity.instanceId,
    high_water: identity.highWater,
    created_at: identity.createdAt,
    ...(identity.home === null ? {} : { home: identity.home }),
  }
  const partial = `${file}.${process.pid}.partial`
  const descriptor = openSync(partial, 'w', 0o600)
  try {
    writeSync(descriptor, `${JSON.stringify(marker)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  chmodSync(partial, 0o600)
  renameSync(partial, file)
  syncDirectory(dirname(file))
}

function syncDirectory(directory: string): void {
  // Windows cannot open a directory; its rename is durable enough for a mark that is only ever behind.
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function refused(file: string, message: string): QueueError {
  return new QueueError('storage_refused', message, {
    remedy: `Put the right database back, or accept this one with nightkiln doctor --accept-database. Nothing was changed. Marker: ${file}`,
  })
}
