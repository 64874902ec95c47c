import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { statePaths } from '../../../src/config/paths.ts'

/** A folder of the running test outside of the state directory: for ledgers, scripts and files of jobs. */
export function useWorkspace(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nk-work-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** @returns the text of a file, '' while it is not there */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** @returns the manager's log; it may lie in a moved directory */
export function managerLog(home: string): string {
  return textOf(statePaths(home).managerLog)
}
