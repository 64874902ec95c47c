import { pathToFileURL } from 'node:url'

/**
 * Loads a module of a person: `.ts` through tsx, everything else as Node does. The configuration of the compiler that lies
 * beside it is for editors alone. tsx stays registered in this thread or process, which is to load nothing else.
 * @returns its namespace
 * @throws what the module throws while it is loaded
 */
export async function loadModule(file: string): Promise<unknown> {
  // Loaded when needed: a thread that runs JavaScript does not pay for it.
  if (/\.[cm]?ts$/.test(file)) await registerTypeScript()
  return await import(pathToFileURL(file).href)
}

let isRegistered = false

/**
 * Not tsImport: the name that it makes up for every load keeps its cache from being of use, so that each thread would start a
 * compiler, which is left as a zombie when the thread is ended.
 */
async function registerTypeScript(): Promise<void> {
  if (isRegistered) return
  const [{ register: registerImport }, { register: registerRequire }] = await Promise.all([
    import('tsx/esm/api'),
    import('tsx/cjs/api'),
  ])
  isRegistered = true
  registerRequire()
  registerImport({ tsconfig: false })
}
