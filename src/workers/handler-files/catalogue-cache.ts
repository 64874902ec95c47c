import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { version } from '../../config/version.ts'
import { handlerInfo } from '../../domain/handler-info.ts'
import { writeFileAtomic } from '../../platform/atomic-file.ts'

/** What the last manager knew of the handler directory, so that the next one need not load every file. */
const cacheSchema = z.strictObject({
  format: z.literal(1),
  /** Another version, or another Node, may describe a file otherwise. */
  version: z.literal(version),
  node: z.literal(process.version),
  directory: z.string(),
  revision: z.string(),
  contents: z.record(z.string(), z.strictObject({ stamp: z.string(), sha256: z.string() })),
  /** By file name; only those that can be used. */
  described: z.record(z.string(), handlerInfo),
  /** The type that a file had when it could be used last, by file name. */
  types: z.record(z.string(), z.string()),
})
export type CatalogueCache = Omit<z.infer<typeof cacheSchema>, 'format' | 'version' | 'node'>

/** @returns null when there is none that can be used */
export function readCatalogueCache(file: string, directory: string): CatalogueCache | null {
  try {
    const cache = cacheSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    return cache.directory === directory ? cache : null
  } catch {
    return null
  }
}

/** @throws the error of the file system */
export function writeCatalogueCache(file: string, cache: CatalogueCache): void {
  const whole: z.infer<typeof cacheSchema> = { format: 1, version, node: process.version, ...cache }
  writeFileAtomic(file, JSON.stringify(whole))
}
