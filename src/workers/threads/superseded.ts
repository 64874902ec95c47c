import { readFileSync } from 'node:fs'
import type { StatePaths } from '../../config/paths.ts'

/** True when manager.json names a later manager than the one of this epoch; what cannot be read says nothing. */
export function isSuperseded(paths: Pick<StatePaths, 'managerFile'>, epoch: number): boolean {
  try {
    const { epoch: leading } = JSON.parse(readFileSync(paths.managerFile, 'utf8')) as { readonly epoch?: unknown }
    return typeof leading === 'number' && leading > epoch
  } catch {
    return false
  }
}
