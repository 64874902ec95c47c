import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Json } from '../../../src/domain/job.ts'
import type { SourceItems } from '../../../src/sources/source-item.ts'

/** @returns a folder with these files (by relative path), removed at the end of the test */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nk-sources-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

export async function allOf(items: SourceItems): Promise<Json[]> {
  const all: Json[] = []
  for await (const item of items) all.push(item)
  return all
}

/** @returns a text in pieces, as a stream would give it */
export async function* inPieces(text: string, length = text.length): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += Math.max(1, length)) yield text.slice(at, at + Math.max(1, length))
}
