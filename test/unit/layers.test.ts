import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { repositoryRoot } from '../support/repository.ts'
import { findPath, parseImports, readImports, type SourceImport } from '../support/source-imports.ts'

/** The house: what each folder of src/ may import of the others. Arrows point one way. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  config: ['domain'],
  platform: ['config', 'domain'],
  persistence: ['config', 'domain', 'platform'],
  // What users write job types against: imports nothing of ours.
  handler: [],
  workers: ['config', 'domain', 'handler', 'platform'],
  // A process of its own: nothing imports it.
  sources: ['domain', 'platform'],
  client: ['config', 'domain', 'platform'],
  tools: ['client', 'config', 'domain', 'platform'],
  server: ['client', 'config', 'domain', 'platform', 'tools'],
  // The page of the MCP App: bundled for a browser.
  app: ['domain'],
  cli: ['client', 'config', 'domain', 'platform'],
  // Asks GPU workers; nobody but the manager has it, and the conformance suite.
  'gpu-client': ['config', 'domain', 'platform'],
  // A service of its own on the GPU machine: runs the same handlers with the same executors.
  'gpu-worker': ['config', 'domain', 'platform', 'workers'],
  manager: ['config', 'domain', 'platform'],
  // A candidate is a client of the manager it asks and may replace.
  'manager/process': ['client', 'config', 'domain', 'gpu-client', 'manager', 'persistence', 'platform', 'workers'],
}

/** Arrows for one file only, and only as a lazy import. */
const lazyArrows: readonly { readonly from: string; readonly to: string }[] = [
  { from: 'cli', to: 'server/main.ts' },
  { from: 'cli', to: 'server/http/main.ts' },
  { from: 'cli', to: 'gpu-worker/main.ts' },
  { from: 'cli', to: 'gpu-client/conformance/main.ts' },
]

const packages: Readonly<Record<string, readonly string[]>> = {
  domain: ['zod'],
  handler: ['zod'],
  tools: ['@modelcontextprotocol/server', 'zod'],
}

const onlyIn: readonly {
  readonly package: string
  readonly folders: readonly string[]
  readonly files: readonly string[]
}[] = [
  {
    package: 'better-sqlite3',
    folders: ['persistence'],
    files: ['manager/process/doctor-probe.ts', 'sources/sqlite-items.ts'],
  },
  { package: 'tsx', folders: [], files: ['workers/thread-host/load-module.ts'] },
  { package: '@modelcontextprotocol/server', folders: ['server', 'tools'], files: [] },
  { package: '@modelcontextprotocol/ext-apps/app-with-deps', folders: ['app'], files: [] },
  { package: 'jose', folders: [], files: ['server/http/access-tokens.ts', 'server/http/issuer-keys.ts'] },
]

/** The only files of the manager that may name adapters. */
const compositionRoots = [
  'manager/process/accept-database.ts',
  'manager/process/compose-background.ts',
  'manager/process/compose-executors.ts',
  'manager/process/compose-gpu.ts',
  'manager/process/compose-handlers.ts',
  'manager/process/doctor-probe.ts',
  'manager/process/main.ts',
  'manager/process/open-state.ts',
  'manager/process/run-manager.ts',
]

const frontEnd = ['server', 'tools', 'cli', 'client']

function folderOf(file: string): string {
  return file.startsWith('manager/process/') ? 'manager/process' : (file.split('/')[0] ?? '')
}

const isOurs = (target: string): boolean => /\.tsx?$/.test(target)
const isPackage = (target: string): boolean =>
  !isOurs(target) && !target.startsWith('node:') && !target.endsWith('.json')

function forbidden(imports: readonly SourceImport[]): readonly string[] {
  const wrong: string[] = []
  for (const one of imports) {
    const from = folderOf(one.from)
    const line = `${one.from} imports ${one.to}`
    if (isOurs(one.to)) {
      const to = folderOf(one.to)
      const lazy = one.kind === 'dynamic' && lazyArrows.some((arrow) => arrow.from === from && arrow.to === one.to)
      if (from !== to && !lazy && !(arrows[from] ?? []).includes(to)) wrong.push(line)
    } else if (isPackage(one.to)) {
      const allowed = packages[from]
      if (allowed !== undefined && !allowed.includes(one.to)) wrong.push(line)
      if (
        onlyIn.some((rule) => rule.package === one.to && !rule.folders.includes(from) && !rule.files.includes(one.from))
      )
        wrong.push(line)
    } else if (from === 'domain') wrong.push(line)
  }
  return wrong
}

const source = join(repositoryRoot, 'src')
const imports = readImports(source)

describe('the source', () => {
  test('is read at all, and every folder of it is part of the house', () => {
    expect(imports.length).toBeGreaterThan(20)
    expect(
      [...new Set(imports.map((one) => folderOf(one.from)))].filter((folder) => arrows[folder] === undefined),
    ).toEqual([])
  })

  test('has only the arrows of the house', () => {
    expect(forbidden(imports)).toEqual([])
  })

  test.each(frontEnd)('loads no native module from %s, over any number of files', (folder) => {
    // `nightkiln worker` makes its process a service of its own: what that loads takes no front end down.
    const path = findPath(
      imports.filter(({ to }) => to !== 'gpu-worker/main.ts'),
      (file) => folderOf(file) === folder,
      (target) => target === 'better-sqlite3' || /^(persistence|workers|manager)\//.test(target),
    )
    expect(path?.join(' -> ') ?? null).toBeNull()
  })

  test('keeps adapters out of the manager but for its composition root', () => {
    const path = findPath(
      imports,
      (file) => folderOf(file) === 'manager',
      (target) => /^(persistence|workers)\//.test(target) || target === 'better-sqlite3',
    )
    expect(path?.join(' -> ') ?? null).toBeNull()
  })

  test('loads the native module in the enumerator process from its entry alone', () => {
    const importers = imports.filter((one) => one.to === 'sources/sqlite-items.ts' && !one.typeOnly)
    expect(importers.map((one) => one.from)).toEqual(['sources/enumerate-main.ts'])
  })

  test('names adapters in its composition root alone', () => {
    const adapters = imports.filter(
      (one) => folderOf(one.from).startsWith('manager') && /^(gpu-client|persistence|workers)\//.test(one.to),
    )
    expect([...new Set(adapters.map((one) => one.from))].filter((file) => !compositionRoots.includes(file))).toEqual([])
    expect(adapters.length).toBeGreaterThan(0)
  })

  test('imports only packages that are installed with the product', () => {
    const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>
      optionalDependencies?: Record<string, string>
      peerDependencies: Record<string, string>
    }
    const installed = new Set([
      ...Object.keys(manifest.dependencies),
      ...Object.keys(manifest.optionalDependencies ?? {}),
    ])
    // What a person may add is loaded only when it is asked for.
    const isPeer = ({ kind, to }: SourceImport) => kind === 'dynamic' && manifest.peerDependencies[to] !== undefined
    const missing = imports.filter(
      // What the page needs is inside its one file.
      (one) =>
        isPackage(one.to) && !one.typeOnly && !installed.has(one.to) && !isPeer(one) && folderOf(one.from) !== 'app',
    )
    expect(missing.map((one) => `${one.from} imports ${one.to}`)).toEqual([])
  })
})

describe('the check itself sees', () => {
  const planted = (from: string, code: string): readonly string[] => forbidden(parseImports(from, code))

  test.each([
    ['domain/job.ts', "import { systemPaths } from '../config/paths.ts'"],
    ['domain/wire/jobs.ts', "import type { Store } from '../../persistence/store.ts'"],
    ['domain/job.ts', "import pino from 'pino'"],
    ['domain/job.ts', "import { readFileSync } from 'node:fs'"],
    ['domain/job.ts', "import { readFileSync } from 'fs'"],
    ['client/connection.ts', "import Database from 'better-sqlite3'"],
    ['tools/submit-job.ts', "export { openStore } from '../persistence/store.ts'"],
    ['server/main.ts', "const store = await import('../persistence/store.ts')"],
    ['server/main.ts', "import {\n  openStore,\n  type Store,\n} from '../persistence/store.ts'"],
    ['cli/main.ts', "import { serve } from '../server/main.ts'"],
    ['cli/main.ts', "const server = await import('../server/container.ts')"],
    ['manager/process/main.ts', "import Database from 'better-sqlite3'"],
    ['manager/api/app.ts', "import { store } from '../../persistence/store.ts'"],
    ['manager/process/main.ts', "import { run } from '../../cli/main.ts'"],
    ['workers/runner.ts', "import '../persistence/store.ts'"],
    ['manager/services/source-spool.ts', "import { enumerate } from '../../sources/enumerate.ts'"],
    ['sources/enumerate.ts', "import Database from 'better-sqlite3'"],
    ['sources/glob-items.ts', "import { statePaths } from '../config/paths.ts'"],
    ['client/launcher.ts', "import { Server } from '@modelcontextprotocol/server/stdio'"],
    ['client/launcher.ts', "const require = x(); require('better-sqlite3')"],
  ])('%s: %s', (from, code) => {
    expect(planted(from, code)).toHaveLength(1)
  })

  test.each([
    ['cli/main.ts', "const server = await import('../server/main.ts')"],
    ['manager/process/main.ts', "import { openStore } from '../../persistence/store.ts'"],
    ['domain/job.ts', "// import { x } from '../config/paths.ts'\nimport { z } from 'zod'"],
    ['client/launcher.ts', "const text = 'come from the cli'"],
  ])('nothing wrong in %s: %s', (from, code) => {
    expect(planted(from, code)).toEqual([])
  })

  test('a chain over several files, but not one of types', () => {
    const chain = (through: string): readonly SourceImport[] => [
      ...parseImports('client/a.ts', "import { b } from './b.ts'"),
      ...parseImports('client/b.ts', through),
      ...parseImports('platform/c.ts', "import Database from 'better-sqlite3'"),
    ]
    const search = (through: string): readonly string[] | null =>
      findPath(
        chain(through),
        (file) => file === 'client/a.ts',
        (to) => to === 'better-sqlite3',
      )
    expect(search("export { c } from '../platform/c.ts'")).toEqual([
      'client/a.ts',
      'client/b.ts',
      'platform/c.ts',
      'better-sqlite3',
    ])
    expect(search("import type { C } from '../platform/c.ts'")).toBeNull()
    expect(search("import { type C } from '../platform/c.ts'")).toBeNull()
  })
})
