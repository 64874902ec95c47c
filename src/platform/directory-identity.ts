import { statSync } from 'node:fs'

/**
 * @returns what a directory is, whatever its path: a moved one is the same, a copied one is another
 * @throws the error of the file system when it is not there
 */
export function directoryIdentity(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev}:${ino}`
}
