import { spawnSync } from 'node:child_process'
import { realpathSync } from 'node:fs'

const oldest = [20, 19] as const
const answerTimeoutMs = 5_000

/** @param version such as v20.19.0 */
export function isSupportedNode(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
}

/** @returns the version of a node; null when it does not tell. Version managers put it into the path, which costs no process. */
export function versionOfNode(file: string): string | null {
  const told = /[\\/]v?(\d+\.\d+\.\d+)[\\/](?:installation[\\/])?(?:bin[\\/])?node(?:\.exe)?$/.exec(realpathSync(file))
  if (told?.[1] !== undefined) return told[1]
  const child = spawnSync(file, ['--version'], { encoding: 'utf8', timeout: answerTimeoutMs, windowsHide: true })
  return /^v(\d+\.\d+\.\d+)/.exec(child.stdout ?? '')?.[1] ?? null
}

/** @returns whether a node runs at all, and is new enough. */
export function isUsableNode(file: string): boolean {
  const version = versionOfNode(file)
  return version !== null && isSupportedNode(version)
}
