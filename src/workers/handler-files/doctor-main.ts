import { readdirSync } from 'node:fs'
import { version } from '../../config/version.ts'
import { ownTypeNames } from '../../domain/handler-info.ts'
import { packageLinks } from '../../platform/package-links.ts'
import { availableBuiltIns } from '../handlers/available-built-ins.ts'
import { HandlerCatalogue } from './handler-catalogue.ts'
import { isHandlerName } from './read-directory.ts'

/**
 * The part of `nightkiln doctor` that looks at the handlers, run as a child process: it changes nothing, and prints one line of
 * JSON. Usage: DIRECTORY.
 */
const directory = process.argv[2] ?? ''
const links = packageLinks(directory, false)
// Without the links every file would look broken; they are made by whoever looks at the directory for real.
const isLooked = links.every(({ state }) => state !== 'missing' && state !== 'elsewhere')
const catalogue = new HandlerCatalogue({
  directory,
  cacheFile: null,
  builtIns: availableBuiltIns(version),
  reserved: ownTypeNames,
  change: false,
})
if (isLooked) await catalogue.scan()
const answer = {
  files: readdirSync(directory).filter(isHandlerName).length,
  looked: isLooked,
  problem: catalogue.directoryProblem,
  available: catalogue.available().flatMap(({ info, isBuiltIn }) => (isBuiltIn ? [] : [info.type])),
  broken: catalogue.broken(),
  links,
}
process.stdout.write(`${JSON.stringify(answer)}\n`)
await catalogue.close()
