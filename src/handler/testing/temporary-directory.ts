import { mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'nightkiln-handler-'
/** Another container may share the directory, and its processes cannot be seen. */
const oldMs = 10 * 60_000

let base: string | null = null
let runs = 0

/**
 * @returns where one run puts its files; made when something is put there, removed when the process ends. Test runners often
 *   kill their processes: what those left is removed by a later one.
 */
export function temporaryDirectory(): string {
  base ??= makeBase()
  runs += 1
  return join(base, String(runs))
}

function makeBase(): string {
  const top = realpathSync(tmpdir())
  for (const name of readdirSync(top)) {
    if (name.startsWith(prefix)) removeLeftover(join(top, name), Number(name.slice(prefix.length).split('-')[0]))
  }
  const made = mkdtempSync(join(top, `${prefix}${process.pid}-`))
  process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  return made
}

function removeLeftover(directory: string, pid: number): void {
  try {
    if (Date.now() - statSync(directory).mtimeMs < oldMs || isAlive(pid)) return
    rmSync(directory, { recursive: true, force: true })
  } catch {
    // It is somebody else's, or gone.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
