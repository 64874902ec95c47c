import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import type { AvailableHandler } from '../../../src/domain/handler-info.ts'
import { describeFiles } from '../../../src/workers/handler-files/describe-files.ts'
import { type CatalogueOptions, HandlerCatalogue } from '../../../src/workers/handler-files/handler-catalogue.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { type HandlerDirectory, handlerSource, useHandlerDirectory } from './handler-directory.ts'

const isRoot = process.getuid?.() === 0

let directory: HandlerDirectory
/** What was loaded, file by file. */
let loaded: string[]

beforeEach(() => {
  directory = useHandlerDirectory()
  directory.write('package.json', '{"type":"module"}')
  loaded = []
})

const countingDescribe: typeof describeFiles = (files, options) => {
  loaded.push(...files.map((file) => file.slice(options.directory.length + 1)))
  return describeFiles(files, options)
}

function open(options: Partial<CatalogueOptions> = {}): HandlerCatalogue {
  const catalogue = new HandlerCatalogue({
    directory: directory.path,
    cacheFile: join(directory.path, '..', 'handlers.json'),
    builtIns: [],
    reserved: ['command'],
    describe: countingDescribe,
    ...options,
  })
  onTestFinished(() => catalogue.close())
  return catalogue
}

const types = (catalogue: HandlerCatalogue) => catalogue.available().map(({ info }) => info.type)

describe('a catalogue', () => {
  test('of a directory that does not exist is empty, and notices when it is made', async () => {
    const path = join(directory.path, 'later')
    const catalogue = open({ directory: path })
    await catalogue.scan()
    expect(catalogue.all()).toEqual({ available: [], broken: [] })
    mkdirSync(path, { mode: 0o700 })
    writeFileSync(join(path, 'one.js'), handlerSource('one'))
    await catalogue.refresh()
    expect(types(catalogue)).toEqual(['one'])
  })

  test('takes handlers, and leaves everything else alone', async () => {
    for (const name of [
      '.hidden.js',
      '_part.js',
      'one.test.ts',
      'one.d.ts',
      'notes.md',
      'lib/two.js',
      'node_modules/x.js',
    ])
      directory.write(name, 'throw new Error("loaded")')
    const file = directory.write('one.ts', handlerSource('one'))
    const catalogue = open()
    await catalogue.scan()
    expect(catalogue.broken()).toEqual([])
    expect(catalogue.find('one')).toMatchObject({ file, isBuiltIn: false, info: { type: 'one' } })
    expect(catalogue.find('two')).toBeNull()
    expect(loaded).toEqual(['one.ts'])
  })

  test('sees a file that was dropped in, changed or removed by the very next call', async () => {
    const catalogue = open()
    await catalogue.scan()
    directory.write('one.js', handlerSource('one'))
    await catalogue.refresh()
    expect(types(catalogue)).toEqual(['one'])
    const { revision } = catalogue.find('one') as AvailableHandler
    directory.write('one.js', handlerSource('other'))
    await catalogue.refresh()
    expect(catalogue.find('other')?.revision).not.toBe(revision)
    rmSync(join(directory.path, 'one.js'))
    await catalogue.refresh()
    expect(catalogue.all()).toEqual({ available: [], broken: [] })
  })

  test('has another revision when a file that handlers import changes, and none when it is only touched', async () => {
    directory.write('one.js', handlerSource('one', "import './lib/part.js'"))
    const part = directory.write('lib/part.js', 'export {}')
    const catalogue = open()
    await catalogue.scan()
    const { revision } = catalogue.find('one') as AvailableHandler
    utimesSync(part, new Date(), new Date(Date.now() + 60_000))
    await catalogue.scan()
    expect(catalogue.find('one')?.revision).toBe(revision)
    expect(loaded).toEqual(['one.js'])
    writeFileSync(part, 'export const changed = true')
    await catalogue.scan()
    expect(catalogue.find('one')?.revision).not.toBe(revision)
  })

  test('says who changed, once', async () => {
    const catalogue = open()
    await catalogue.scan()
    let changes = 0
    catalogue.onChange(() => {
      changes += 1
    })
    directory.write('one.js', handlerSource('one'))
    await waitUntil(() => changes > 0, { what: 'the watch' })
    expect(types(catalogue)).toEqual(['one'])
    await catalogue.scan()
    expect(changes).toBe(1)
  })

  test('keeps the name of a type whose file is broken now, and takes it back when it is well', async () => {
    const file = directory.write('one.js', handlerSource('well_named'))
    const catalogue = open()
    await catalogue.scan()
    directory.write('one.js', 'throw new Error("broken")')
    await catalogue.scan()
    expect(catalogue.all()).toEqual({
      available: [],
      broken: [{ file, type: 'well_named', problem: `it cannot be loaded: broken (${file}:1)` }],
    })
    await catalogue.close()
    const next = open()
    await next.scan()
    expect(next.broken()[0]?.type).toBe('well_named')
    directory.write('one.js', handlerSource('well_named'))
    await next.scan()
    expect(next.broken()).toEqual([])
  })

  test('names both files that claim a type, and the built-in one wins', async () => {
    directory.write('a.js', handlerSource('same'))
    directory.write('b.ts', handlerSource('same'))
    directory.write('c.js', handlerSource('command'))
    directory.write('d.js', handlerSource('built'))
    directory.write('e.js', handlerSource('good'))
    const first = open()
    await first.scan()
    const good = first.find('good') as AvailableHandler
    const builtIn: AvailableHandler = {
      ...good,
      info: { ...good.info, type: 'built' },
      file: '/built',
      isBuiltIn: true,
    }
    const catalogue = open({ builtIns: [builtIn], cacheFile: null })
    expect(types(catalogue)).toEqual(['built'])
    await catalogue.scan()
    expect(types(catalogue)).toEqual(['built', 'good'])
    expect(catalogue.find('built')).toBe(builtIn)
    expect(catalogue.broken().map(({ type, problem }) => [type, problem])).toEqual([
      ['same', 'the type "same" is claimed by a.js and b.ts, so neither is used; rename or remove one'],
      ['same', 'the type "same" is claimed by a.js and b.ts, so neither is used; rename or remove one'],
      ['command', 'the type "command" is built in; give the handler in c.js another one'],
      ['built', 'the type "built" is built in; give the handler in d.js another one'],
    ])
  })
})

describe('what a catalogue keeps over a restart', () => {
  async function known(): Promise<string> {
    directory.write('one.js', handlerSource('one'))
    const catalogue = open()
    await catalogue.scan()
    await catalogue.close()
    expect(loaded).toEqual(['one.js'])
    return join(directory.path, '..', 'handlers.json')
  }

  test('are descriptions of files that did not change', async () => {
    const file = await known()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const next = open()
    expect(types(next)).toEqual(['one'])
    await next.scan()
    expect(types(next)).toEqual(['one'])
    expect(loaded).toEqual(['one.js'])
  })

  test('is not believed before a look when others may have written the files', async () => {
    await known()
    chmodSync(directory.path, 0o777)
    expect(types(open())).toEqual([])
  })

  test.each([
    ['is no JSON', () => 'half of {'],
    ['is of another version', (text: string) => text.replace(/"version":"[^"]+"/, '"version":"0.0.0"')],
    ['is of another Node', (text: string) => text.replace(/"node":"[^"]+"/, '"node":"v1"')],
    ['is of another directory', (text: string) => text.replaceAll(directory.path, '/elsewhere')],
    ['describes what cannot be', (text: string) => text.replace('"title":"A title"', '"title":7')],
  ])('is ignored when it %s', async (_, change) => {
    const file = await known()
    writeFileSync(file, change(readFileSync(file, 'utf8')))
    const next = open()
    await next.scan()
    expect(types(next)).toEqual(['one'])
    expect(loaded).toEqual(['one.js', 'one.js'])
  })
})

describe('calls at the same time', () => {
  test('share one look', async () => {
    directory.write('one.js', handlerSource('one'))
    const catalogue = open()
    await Promise.all(Array.from({ length: 50 }, () => catalogue.refresh()))
    expect(types(catalogue)).toEqual(['one'])
    expect(loaded).toEqual(['one.js'])
  })

  test('see a file that came when another look had seen enough', async () => {
    directory.write('one.js', handlerSource('one'))
    const asked: Promise<void>[] = []
    const catalogue: HandlerCatalogue = open({
      describe: async (files, options) => {
        const described = await describeFiles(files, options)
        // Each look finds that something came while files were described, until it is the last.
        const name = `next_${asked.length}`
        directory.write(`${name}.js`, handlerSource(name))
        if (asked.length < 3) asked.push(catalogue.refresh().then(() => expect(types(catalogue)).toContain(name)))
        return described
      },
    })
    await catalogue.refresh()
    expect(asked).toHaveLength(3)
    await Promise.all(asked)
  })

  test('tell why files cannot be looked at now, and try again', async () => {
    directory.write('one.js', handlerSource('one'))
    let isBusy = true
    const catalogue = open({
      describe: (files, options) =>
        isBusy ? Promise.reject(new QueueError('limit_exceeded', 'no more processes')) : describeFiles(files, options),
    })
    await catalogue.refresh()
    expect(catalogue.broken()[0]?.problem).toBe('it cannot be looked at now: no more processes')
    isBusy = false
    await waitUntil(async () => {
      await catalogue.refresh()
      return catalogue.find('one')
    })
  })
})

describe('the packages of this installation', () => {
  const link = (name: string) => join(directory.path, 'node_modules', name)

  test('are linked, and turned when they point elsewhere', async () => {
    mkdirSync(join(directory.path, 'node_modules'))
    symlinkSync('/nowhere', link('nightkiln'))
    directory.write('one.js', handlerSource('one', "import { z as own } from 'zod'\nown.string()"))
    const catalogue = open()
    await catalogue.scan()
    expect(types(catalogue)).toEqual(['one'])
    expect(catalogue.links).toMatchObject(
      ['nightkiln', 'zod', 'tsx'].map((name) => ({ name, state: 'linked', problem: null })),
    )
    expect(JSON.parse(readFileSync(join(link('nightkiln'), 'package.json'), 'utf8'))).toMatchObject({
      name: 'nightkiln',
    })
  })

  test('are not touched where the person has real directories', async () => {
    mkdirSync(link('zod'), { recursive: true })
    writeFileSync(join(link('zod'), 'package.json'), '{"name":"zod","version":"9.9.9"}')
    const catalogue = open()
    await catalogue.scan()
    expect(catalogue.links.find(({ name }) => name === 'zod')).toEqual({
      name: 'zod',
      state: 'own',
      version: '9.9.9',
      problem: null,
    })
  })

  test('are told when they cannot be linked, and nothing else is lost', async () => {
    directory.write('node_modules', 'a file')
    directory.write('one.js', 'export default 1')
    const catalogue = open()
    await catalogue.scan()
    expect(catalogue.links[0]).toMatchObject({ name: 'nightkiln', state: 'failed', problem: expect.any(String) })
    expect(catalogue.broken()).toHaveLength(1)
  })

  test('are only looked at when nothing is to be changed', async () => {
    directory.write('one.js', 'export default 1')
    const catalogue = open({ change: false })
    await catalogue.scan()
    expect(catalogue.links).toMatchObject([{ state: 'missing' }, { state: 'missing' }, { state: 'missing' }])
    expect(statSync(join(directory.path, '..', 'handlers.json'), { throwIfNoEntry: false })).toBeUndefined()
  })
})

describe.runIf(process.platform !== 'win32')('code of others', () => {
  test('is not loaded from a directory that others may write to', async () => {
    const file = directory.write('one.js', handlerSource('one'))
    const catalogue = open()
    for (const mode of [0o720, 0o702, 0o777]) {
      chmodSync(directory.path, mode)
      await catalogue.scan()
      const problem = `others may write to ${directory.path}, and so it is not run; run: chmod 700 ${directory.path}`
      expect(catalogue.all()).toEqual({ available: [], broken: [{ file, type: 'one', problem }] })
      expect(catalogue.directoryProblem).toBe(problem)
    }
    expect(loaded).toEqual([])
    chmodSync(directory.path, 0o700)
    await catalogue.scan()
    expect(types(catalogue)).toEqual(['one'])
  })

  test('is not loaded from a file that others may write to, as far as they can reach it', async () => {
    const file = directory.write('one.js', handlerSource('one'))
    chmodSync(file, 0o666)
    const catalogue = open()
    await catalogue.scan()
    expect(types(catalogue)).toEqual(['one'])
    chmodSync(directory.path, 0o755)
    await catalogue.scan()
    expect(catalogue.broken()).toEqual([
      { file, type: 'one', problem: `others may write to ${file}, and so it is not run; run: chmod 600 ${file}` },
    ])
  })

  test('stops everything when it could be imported', async () => {
    directory.write('one.js', handlerSource('one'))
    directory.write('lib/part.js', 'export {}')
    chmodSync(directory.path, 0o755)
    chmodSync(join(directory.path, 'lib'), 0o777)
    const catalogue = open()
    await catalogue.scan()
    expect(catalogue.all()).toMatchObject({
      available: [],
      broken: [{ type: 'one', problem: expect.stringContaining(`chmod 700 ${join(directory.path, 'lib')}`) }],
    })
  })

  test('is reached by a link only when it is the own user’s', async () => {
    const elsewhere = realpathSync(mkdtempSync(join(tmpdir(), 'nk-elsewhere-')))
    onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }))
    const target = join(elsewhere, 'one.mjs')
    writeFileSync(
      target,
      handlerSource('one').replace(
        'nightkiln/handler',
        join(directory.path, 'node_modules/nightkiln/dist/handler/index.js'),
      ),
    )
    symlinkSync(target, join(directory.path, 'one.mjs'))
    const catalogue = open()
    await catalogue.scan()
    expect(types(catalogue)).toEqual(['one'])
    chmodSync(target, 0o606)
    await catalogue.scan()
    expect(catalogue.broken()[0]?.problem).toContain('others may write to')
    chmodSync(target, 0o600)
    renameSync(target, `${target}.away`)
    await catalogue.scan()
    expect(catalogue.broken()[0]?.problem).toContain('a link that leads nowhere')
  })

  test.runIf(isRoot)('is not loaded when it belongs to somebody else', async () => {
    const file = directory.write('one.js', handlerSource('one'))
    chownSync(file, 4321, 4321)
    const catalogue = open()
    await catalogue.scan()
    expect(catalogue.broken()[0]?.problem).toBe(`${file} belongs to user 4321, not to you (0), and so is not run`)
    chownSync(file, 0, 0)
    chownSync(directory.path, 4321, 4321)
    await catalogue.scan()
    expect(catalogue.broken()[0]?.problem).toContain(`${directory.path} belongs to user 4321`)
    const theirs = open({ userId: 4321 })
    await theirs.scan()
    expect(types(theirs)).toEqual(['one'])
  })
})
