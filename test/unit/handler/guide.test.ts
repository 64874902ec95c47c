import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { repositoryRoot } from '../../support/repository.ts'

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8')

test('the handler of the guide is the one of the example, which is run', () => {
  const blocks = [...read('docs/guides/handlers.md').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code)
  expect(blocks[0]).toBe(read('examples/9-own-job-type/handlers/word_index.ts'))
})

test('the guide tells of every key of a definition and of everything a handler gets', () => {
  const guide = read('docs/guides/handlers.md')
  const keys = (file: string, name: string) => {
    const body = new RegExp(`interface ${name}<[\\s\\S]*?\\n\\}`).exec(read(file))?.[0] ?? ''
    return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??[(:]/gm)].map(([, key]) => key ?? '')
  }
  const wanted = [
    ...keys('src/handler/define-handler.ts', 'HandlerDefinition'),
    ...keys('src/handler/context.ts', 'HandlerContext'),
  ]
  expect(wanted.length).toBeGreaterThan(30)
  expect(wanted.filter((key) => !guide.includes(`\`${key}`) && !guide.includes(`${key}(`))).toEqual([])
})
