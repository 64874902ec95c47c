import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The whole front end in one file, in dist/ and in the bundle for desktop clients. */
export const bundledFrontEnd = 'front-end.js'

const here = fileURLToPath(import.meta.url)

/** Folder of package.json: two above this module in src/ and dist/, one above the file that it is bundled into. */
export const packageFolder: string =
  basename(here) === bundledFrontEnd ? dirname(dirname(here)) : dirname(dirname(dirname(here)))

/**
 * @param parts below dist/
 * @returns the path of a file of the built program; processes always run what ships, also when this runs from source. In the
 * bundle for desktop clients there is nothing but the front end and what it shows.
 */
export function programFile(...parts: readonly string[]): string {
  return join(packageFolder, 'dist', ...parts)
}
