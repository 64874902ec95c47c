import { createReadStream, statSync } from 'node:fs'
import { Reject } from '../../../handler/index.ts'
import { type ManifestEntry, parseManifestLine } from './manifest-format.ts'
import type { Algorithm, TreeResult } from './tree-params.ts'

/** Digest by path. */
export type Manifest = ReadonlyMap<string, string>

const mostEntries = 1_000_000
const mostBytes = 512 * 1024 ** 2
const mostNames = 100
const hexLengths: Readonly<Record<Algorithm, number>> = { md5: 32, sha1: 40, sha256: 64, sha512: 128 }

/** @throws Reject when the file is no list of such checksums, or too large to compare with */
export async function readManifest(file: string, algorithm: Algorithm): Promise<Manifest> {
  const entries = new Map<string, string>()
  try {
    const stats = statSync(file)
    if (!stats.isFile()) throw new Reject(`expect: ${file} is not a file`)
    if (stats.size > mostBytes) throw new Reject(`expect: ${file} is larger than ${mostBytes} bytes`)
    for await (const { digest, path } of entriesOf(file)) {
      if (digest.length !== hexLengths[algorithm])
        throw new Reject(`expect: ${file} holds no ${algorithm} but checksums of ${digest.length} hex digits`)
      entries.set(path, digest)
      if (entries.size > mostEntries) throw new Reject(`expect: ${file} has more than ${mostEntries} lines`)
    }
  } catch (error) {
    if (error instanceof Reject) throw error
    throw new Reject(`expect: ${file} cannot be read: ${(error as Error).message}`)
  }
  return entries
}

/** @returns what is different in a list from an earlier one */
export async function compareManifests(
  earlier: Manifest,
  file: string,
): Promise<NonNullable<TreeResult['comparison']>> {
  const left = new Map(earlier)
  const added = new Names()
  const changed = new Names()
  let same = 0
  for await (const { digest, path } of entriesOf(file)) {
    const before = left.get(path)
    left.delete(path)
    if (before === undefined) added.add(path)
    else if (before === digest) same += 1
    else changed.add(path)
  }
  const removed = new Names()
  for (const path of left.keys()) removed.add(path)
  return { same, changed: changed.found(), added: added.found(), removed: removed.found() }
}

/** All are counted, the first are kept. */
class Names {
  readonly #names: string[] = []
  #count = 0

  add(name: string): void {
    this.#count += 1
    if (this.#names.length < mostNames) this.#names.push(name)
  }

  found(): { count: number; names: string[] } {
    return { count: this.#count, names: this.#names }
  }
}

async function* entriesOf(file: string): AsyncGenerator<ManifestEntry, void, undefined> {
  let number = 0
  // Only "\n" ends a line: a name may hold a "\r".
  for await (const line of linesOf(file)) {
    number += 1
    if (line === '') continue
    const entry = parseManifestLine(line)
    if (entry === null)
      throw new Reject(`${file}, line ${number}, is not as sha256sum writes it: a checksum, two spaces, a path`)
    yield entry
  }
}

async function* linesOf(file: string): AsyncGenerator<string, void, undefined> {
  let rest = ''
  for await (const piece of createReadStream(file, { encoding: 'utf8' }) as AsyncIterable<string>) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
