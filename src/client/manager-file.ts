import { readFileSync } from 'node:fs'
import { type ManagerFile, managerFile } from '../domain/wire/manager.ts'

/** @returns what the leading (or last) manager wrote of itself; null when there is no readable file. */
export function readManagerFile(file: string): ManagerFile | null {
  try {
    const parsed = managerFile.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}
