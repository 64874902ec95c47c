import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { QueueError } from '../../domain/errors.ts'

const longest = 1000

/** @returns one sentence that says why a file could not be loaded, with the line where that is known */
export function loadProblem(error: unknown, file: string): string {
  if (error instanceof QueueError) return error.message
  if (!(error instanceof Error)) return `it cannot be loaded: it throws ${String(error).slice(0, longest)}`
  const syntax = syntaxProblem(error, file)
  if (syntax !== null) return `it cannot be loaded: ${syntax}`
  const message = error.message
    .replaceAll(/file:\/\/\S+/g, withoutNamespace)
    .split('\n')
    .map((line) => line.trim())
  const text = message
    .filter((line) => line !== '')
    .slice(0, 3)
    .join(' ')
  const at = text.includes(file) ? '' : placeOf(error, dirname(file))
  const kind = ['Error', 'SyntaxError'].includes(error.name) ? '' : `${error.name}: `
  return `it cannot be loaded: ${kind}${text.slice(0, longest)}${at}${installHint(error, file)}`
}

/** @returns what the translator of TypeScript complains about first, with the place; null for any other error */
function syntaxProblem(error: Error, file: string): string | null {
  if (error.name !== 'TransformError') return null
  const [, at, line, column, text] = /^(.+?):(\d+):(\d+): ERROR: (.+)$/m.exec(error.message) ?? []
  if (at === undefined || text === undefined) return null
  // It counts columns from 0; editors count from 1.
  const place = `line ${line}, column ${Number(column) + 1}`
  const path = withoutNamespace(at)
  return `${path === file ? '' : `${path}, `}${place}: ${text.slice(0, longest)}`
}

/** tsx marks what it loads by a query. */
function withoutNamespace(url: string): string {
  const bare = url.replace(/\?[^'")\s:]*/, '')
  try {
    return fileURLToPath(bare)
  } catch {
    return bare
  }
}

/** The first place in the stack that lies in the person's own code. */
function placeOf(error: Error, directory: string): string {
  const lines = (error.stack ?? '').split('\n').map((line) => line.replaceAll(/file:\/\/[^)\s]+/g, withoutNamespace))
  const line = lines.find((each) => each.includes(directory) && !each.includes('node_modules'))
  const place = /(\/[^()\s]*?):(\d+)(?::\d+)?\)?$/.exec(line?.trim() ?? '')
  return place === null ? '' : ` (${place[1]}:${place[2]})`
}

function installHint(error: Error, file: string): string {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') return ''
  const name = /package '([^']+)'/.exec(error.message)?.[1]
  return name === undefined ? '' : `; run: cd ${dirname(file)} && npm install ${name}`
}
