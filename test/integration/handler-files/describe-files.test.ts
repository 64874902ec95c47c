import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { packageLinks } from '../../../src/platform/package-links.ts'
import { describeFiles } from '../../../src/workers/handler-files/describe-files.ts'
import { repositoryRoot } from '../../support/repository.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { type HandlerDirectory, handlerSource, useHandlerDirectory } from './handler-directory.ts'

let directory: HandlerDirectory

beforeEach(() => {
  directory = useHandlerDirectory()
  directory.write('package.json', '{"type":"module"}')
  packageLinks(directory.path, true)
})

function described(files: readonly string[], limitMs = 10_000) {
  return describeFiles(files, { directory: directory.path, limitMs, heapMegabytes: 64 })
}

/** What is wrong with a file; one that is well stands behind it and must stay so. */
async function problemOf(name: string, text: string, limitMs?: number): Promise<string> {
  const file = directory.write(name, text)
  const [bad, good] = await described([file, directory.write('good.js', handlerSource('good'))], limitMs)
  expect(good).toMatchObject({ ok: true, info: { type: 'good' } })
  expect(bad).toMatchObject({ ok: false, file })
  return bad?.ok === false ? bad.problem : ''
}

describe('describeFiles', () => {
  test('reads TypeScript and JavaScript, with files they import, in their order', async () => {
    directory.write(
      'lib/enough.ts',
      'export enum Enough { No = "no" }\nexport const words: readonly string[] = ["a"]\n',
    )
    const files = [
      directory.write(
        'two.ts',
        handlerSource('two', "import { Enough } from './lib/enough.ts'\nconst no: Enough = Enough.No\nvoid no"),
      ),
      directory.write('one.mjs', handlerSource('one', "console.log('{\"ok\":true}')\nprocess.stdout.write('noise')")),
      directory.write('three.js', handlerSource('three')),
    ]
    expect(await described(files)).toMatchObject([
      { file: files[0], ok: true, info: { type: 'two', example: { params: { n: 1 } } } },
      { file: files[1], ok: true, info: { type: 'one' } },
      { file: files[2], ok: true, info: { type: 'three' } },
    ])
  })

  test('reads a .ts file in a directory without package.json', async () => {
    const bare = useHandlerDirectory()
    packageLinks(bare.path, true)
    const file = bare.write('bare.ts', handlerSource('bare'))
    expect(await describeFiles([file], { directory: bare.path })).toMatchObject([{ ok: true, info: { type: 'bare' } }])
  })

  test.each([
    [
      'without a default export',
      'export const x = 1',
      /^it has no default export; write: export default defineHandler/,
    ],
    ['with another default export', 'export default { type: "x" }', /^its default export is not made by defineHandler/],
    ['that throws', '\nthrow new RangeError("no key")', /^it cannot be loaded: RangeError: no key \(.*bad\.js:2\)$/],
    ['with a definition that is wrong', handlerSource('Bad Name'), /^type is "Bad Name", but must be a name/],
    [
      'that imports what is not installed',
      'import "sharp-ish"',
      /Cannot find package 'sharp-ish'.*run: cd \S+ && npm install sharp-ish$/,
    ],
    ['that ends the process', 'process.exit(3)', /^it ended the process that loaded it \(exit code 3\)$/],
    ['that kills it', 'console.error("so long"); process.kill(process.pid, "SIGKILL")', /\(SIGKILL\)/],
    ['that waits for nothing', 'await new Promise(() => {})', /waits at its top level for something that never comes/],
    [
      'that needs too much memory',
      'const a = []; for (;;) a.push(new Array(1e5).fill(1.5))',
      /needs more than 64 MB of memory/,
    ],
  ])('says what is wrong with a file %s', async (_, text, problem) => {
    expect(await problemOf('bad.js', text)).toMatch(problem)
  })

  test('names the line of a typing error in TypeScript', async () => {
    expect(await problemOf('bad.ts', 'const a = 1\nexport default defineHandler({ type: , })\n')).toMatch(
      /^it cannot be loaded: line 2, column 38: Unexpected/,
    )
  })

  test('gives up on a file that loops for ever, and goes on with the next', async () => {
    expect(await problemOf('bad.ts', 'for (;;) {}', 3000)).toMatch(
      /^it was not loaded within 3 s: it computes or waits/,
    )
  })

  test('reads the handler of the README', async () => {
    const readme = readFileSync(join(repositoryRoot, 'README.md'), 'utf8')
    const source = /^```ts\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? ''
    expect(await described([directory.write('greet.ts', source)])).toMatchObject([
      { ok: true, info: { type: 'greet', example: { params: { greeting: 'Hello' }, units: ['text'] } } },
    ])
  })

  test('gives a file nothing of the environment', async () => {
    process.env['NK_SECRET_OF_TEST'] = 'secret'
    const text = handlerSource('well', "if (process.env.NK_SECRET_OF_TEST) throw new Error('told')")
    expect(await described([directory.write('well.js', text)])).toMatchObject([{ ok: true }])
    delete process.env['NK_SECRET_OF_TEST']
  })

  test('leaves no process behind when whoever asked is killed', async () => {
    const file = directory.write(
      'endless.js',
      "import { writeFileSync } from 'node:fs'\nwriteFileSync('pid', String(process.pid))\nfor (;;) {}",
    )
    const module = join(repositoryRoot, 'dist', 'workers', 'handler-files', 'describe-files.js')
    const script = `import { describeFiles } from ${JSON.stringify(module)}
      await describeFiles([${JSON.stringify(file)}], { directory: ${JSON.stringify(directory.path)}, limitMs: 60_000 })`
    const asker = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'ignore' })
    onTestFinished(() => void asker.kill('SIGKILL'))
    const pidFile = join(directory.path, 'pid')
    await waitUntil(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '', { what: 'that it loops' })
    const pid = Number(readFileSync(pidFile, 'utf8'))
    onTestFinished(() => void (isAlive(pid) && process.kill(pid, 'SIGKILL')))
    asker.kill('SIGKILL')
    await once(asker, 'exit')
    await waitUntil(() => !isAlive(pid), { what: 'that it is gone' })
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
