import { fileURLToPath } from 'node:url'

/** @returns the program of this folder that is started as a process; from source the built one, since processes run what ships */
export function handlerEntry(name: string): string {
  const here = fileURLToPath(new URL(`${name}.js`, import.meta.url))
  return import.meta.url.endsWith('.ts') ? here.replace(/([\\/])src([\\/]workers[\\/])/, '$1dist$2') : here
}
