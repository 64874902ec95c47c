import type { StatePaths } from './paths.ts'
import { readSettings } from './settings.ts'

/**
 * @returns where a person's own job types lie; it need not exist
 * @throws QueueError config_invalid when the configuration cannot be read
 */
export function handlerDirectory(paths: Pick<StatePaths, 'configFile' | 'handlers'>): string {
  return readSettings(paths.configFile).handlers ?? paths.handlers
}
