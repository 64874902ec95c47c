import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { QueueError } from '../domain/errors.ts'
import type { CommandSpec } from '../domain/ports/executor.ts'
import { errorCode } from './attempt-access.ts'

/** What POSIX systems search when a job has no PATH. */
const defaultPath = '/usr/local/bin:/usr/bin:/bin'
const shownPathLength = 300

type Finding = 'program' | 'missing' | 'directory' | 'not_executable'

/**
 * Checks what can be checked before a process is started, and resolves the program as the job's own PATH says, so that
 * the runner's shell never takes a name for one of its builtins.
 * @returns the absolute path of the program
 * @throws QueueError command_not_started naming what is wrong
 */
export async function resolveProgram(spec: CommandSpec): Promise<string> {
  refuseNul(spec)
  const name = spec.argv[0] ?? ''
  if (name === '') throw refused('the program is empty', 'Give the program as the first element of argv.')
  const candidates = name.includes('/') ? [resolve(spec.cwd, name)] : searchPath(spec, name)
  // All at once: each look is a turn of the thread pool, and a PATH of ten folders would cost two milliseconds one by one.
  const [findings] = await Promise.all([
    Promise.all(candidates.map(async (path) => ({ finding: await inspect(path), path }))),
    checkDirectory(spec.cwd),
  ])
  const program = findings.find(({ finding }) => finding === 'program')
  if (program !== undefined) return program.path
  const best = findings.find(({ finding }) => finding !== 'missing') ?? { finding: 'missing' as const, path: name }
  if (best.finding === 'missing' && /\s/.test(name.trim())) throw wholeLine(name)
  if (best.finding === 'directory') throw refused(`program "${name}" is a directory (${best.path})`)
  if (best.finding === 'not_executable') {
    throw refused(`program "${name}" is not executable (${best.path})`, `Run: chmod +x ${best.path}`)
  }
  if (name.includes('/')) throw refused(`program "${name}" was not found (looked for ${candidates[0]})`)
  throw refused(
    `program "${name}" was not found in PATH`,
    `Give the absolute path of the program, or set PATH in env. Searched: ${pathOf(spec).slice(0, shownPathLength)}`,
  )
}

/** A program with blanks in its name that does not exist is nearly always a command line. */
function wholeLine(name: string): QueueError {
  const line = name.trim().slice(0, shownPathLength)
  const words = line.split(/\s+/)
  // Quotes and signs of a shell are not split as a shell would.
  const list = /["'`\\|&;<>$*?(){}]/.test(line) ? 'every word as its own element of argv' : JSON.stringify(words)
  return refused(
    `program "${line}" was not found: argv[0] holds a whole command line`,
    `Give ${list}, or shell: true with script.`,
  )
}

/**
 * Tells an error of starting a process that is the job's fault from one of the machine's.
 * @returns the error to record, or null when the machine cannot start processes now
 */
export function refusalOf(error: unknown, spec: CommandSpec, shell: string): QueueError | null {
  const code = errorCode(error)
  if (code === 'E2BIG') {
    const texts = [...spec.argv, ...Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`)]
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0)
    return refused(
      `arguments and environment are too long for this system (${bytes} bytes together)`,
      'Pass long data through stdin or a file; many systems take at most 128 KiB per argument and 2 MiB in all.',
    )
  }
  if (code === 'EACCES' || code === 'ENOTDIR' || code === 'ENOENT' || code === 'ENOEXEC') {
    return refused(`cannot start a process in "${spec.cwd}" with the shell ${shell} (${code})`)
  }
  if (code.startsWith('ERR_INVALID_ARG')) return refused((error as Error).message)
  return null
}

function refused(message: string, remedy?: string): QueueError {
  return new QueueError('command_not_started', message, remedy === undefined ? {} : { remedy })
}

function refuseNul(spec: CommandSpec): void {
  const named: readonly (readonly [string, string])[] = [
    ...spec.argv.map((value, index) => [`argv[${index}]`, value] as const),
    ['cwd', spec.cwd],
    ...Object.entries(spec.environment).map(([name, value]) => [`env ${name}`, name + value] as const),
  ]
  const bad = named.find(([, value]) => value.includes('\0'))
  if (bad !== undefined)
    throw refused(`${bad[0].replaceAll('\0', '\\0')} contains a NUL character, which no program can receive`)
}

async function checkDirectory(cwd: string): Promise<void> {
  try {
    const facts = await stat(cwd)
    if (!facts.isDirectory()) throw refused(`cwd "${cwd}" is not a directory`)
    await access(cwd, constants.X_OK)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') throw refused(`cwd "${cwd}" does not exist`)
    if (code === 'EACCES') throw refused(`cwd "${cwd}" may not be entered (permission denied)`)
    if (code === 'ELOOP' || code === 'ENAMETOOLONG')
      throw refused(`cwd "${cwd.slice(0, shownPathLength)}" cannot be entered (${code})`)
    throw error
  }
}

function pathOf(spec: CommandSpec): string {
  return spec.environment['PATH'] ?? defaultPath
}

function searchPath(spec: CommandSpec, name: string): readonly string[] {
  // An empty element is the current directory.
  return pathOf(spec)
    .split(delimiter)
    .map((folder) => join(resolve(spec.cwd, folder), name))
}

async function inspect(path: string): Promise<Finding> {
  try {
    const facts = await stat(path)
    if (facts.isDirectory()) return 'directory'
    await access(path, constants.X_OK)
    return 'program'
  } catch (error) {
    return errorCode(error) === 'EACCES' ? 'not_executable' : 'missing'
  }
}
