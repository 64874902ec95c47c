import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface HandlerDirectory {
  readonly path: string
  /** Writes a file below it. @returns its absolute path */
  write(name: string, text: string): string
}

/** A handler directory for the running test, in a folder of its own. */
export function useHandlerDirectory(): HandlerDirectory {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'nk-handlers-')))
  onTestFinished(() => rmSync(top, { recursive: true, force: true }))
  const path = join(top, 'handlers')
  mkdirSync(path, { mode: 0o700 })
  return {
    path,
    write(name, text) {
      const file = join(path, name)
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      writeFileSync(file, text)
      return file
    },
  }
}

/** The source of a handler that works. @param body of its module, before the handler */
export function handlerSource(type: string, body = '', result = '{ done: true }'): string {
  return `import { defineHandler, z } from 'nightkiln/handler'
${body}
export default defineHandler({
  type: '${type}',
  title: 'A title',
  description: 'A description.',
  params: z.object({ n: z.int().default(1) }),
  result: z.object({ done: z.boolean() }),
  run: () => (${result}),
})
`
}
