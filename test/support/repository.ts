import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repositoryRoot: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** What ships: the compiled program and the compiled manager. */
export const distMain: string = join(repositoryRoot, 'dist', 'cli', 'main.js')
export const distManager: string = join(repositoryRoot, 'dist', 'manager', 'process', 'main.js')
