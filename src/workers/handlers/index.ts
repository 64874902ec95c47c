import { fileURLToPath } from 'node:url'
import type { HandlerDefinition } from '../../handler/index.ts'
import checksumTree from './checksum-tree.ts'
import http from './http.ts'
import monteCarlo from './montecarlo.ts'
import sleep from './sleep.ts'

export interface BuiltInHandler {
  readonly definition: HandlerDefinition
  /** Absolute path of the module that a thread loads; its default export is the definition. */
  readonly file: string
}

/** The job types that come with the program and run in threads. */
export const builtInHandlers: readonly BuiltInHandler[] = [
  { definition: http, file: builtFile('http') },
  { definition: checksumTree, file: builtFile('checksum-tree') },
  { definition: monteCarlo, file: builtFile('montecarlo') },
  { definition: sleep, file: builtFile('sleep') },
]

function builtFile(name: string): string {
  const here = fileURLToPath(new URL(`./${name}.js`, import.meta.url))
  // From source the built module is loaded: threads always run what ships.
  return import.meta.url.endsWith('.ts') ? here.replace(/([\\/])src([\\/]workers[\\/])/, '$1dist$2') : here
}
