import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { version as packageVersion } from '../../src/config/version.ts'
import type { ManagerFile } from '../../src/domain/wire/manager.ts'
import { ManagerRecord } from '../../src/manager/process/manager-record.ts'
import { connectStdio } from '../support/mcp-stdio-client.ts'
import { distManager, repositoryRoot } from '../support/repository.ts'
import { type TemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'

interface Manifest {
  readonly version: string
  readonly server: { readonly entry_point: string; readonly mcp_config: { readonly args: readonly string[] } }
  readonly tools: readonly { readonly name: string; readonly description: string }[]
}

/** What Electron tells of itself, where its own program cannot be started as a Node. */
const electronPreload = `
Object.defineProperty(process, 'versions', { value: { ...process.versions, electron: '37.2.0' } })
process.execPath = '/bin/false'
`

let top: string
let file: string
/** The bundle as a client unpacks it: no node_modules above it. */
let unpacked: string
let manifest: Manifest

beforeAll(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'nk-bundle-')))
  unpacked = join(top, 'unpacked')
  node(join(repositoryRoot, 'scripts', 'bundle.mjs'), top)
  const packer = join(
    repositoryRoot,
    'tools',
    'bundle',
    'node_modules',
    '@anthropic-ai',
    'mcpb',
    'dist',
    'cli',
    'cli.js',
  )
  file = readdirSync(top).find((name) => name.endsWith('.mcpb')) ?? ''
  node(packer, 'unpack', join(top, file), unpacked)
  manifest = JSON.parse(readFileSync(join(unpacked, 'manifest.json'), 'utf8')) as Manifest
  writeFileSync(join(top, 'electron.mjs'), electronPreload)
})

function node(...args: readonly string[]): void {
  const child = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(child.status, `${args.join(' ')}: ${child.stdout}${child.stderr}`).toBe(0)
}

afterAll(() => rmSync(top, { recursive: true, force: true }))

/** Starts the unpacked bundle as its manifest says, settings left empty; HOME and PATH as they are given. */
function connect(home: TemporaryHome, environment: Readonly<Record<string, string>>, ...options: readonly string[]) {
  const args = manifest.server.mcp_config.args.map((each) => each.replace('${__dirname}', unpacked))
  return connectStdio({
    environment: {
      ...home.environment,
      NIGHTKILN_NODE: '${user_config.node}',
      NIGHTKILN_ENTRY: '${user_config.program}',
      ...environment,
    },
    ledger: home.ledger,
    cwd: home.home,
    command: [process.execPath, ...options, ...args],
  })
}

const job = (home: TemporaryHome) => ({ params: { argv: ['true'], cwd: home.home } })

describe('the bundle', () => {
  test('holds one program, the page of the App, and nothing of a platform', () => {
    const files = readdirSync(unpacked, { recursive: true, encoding: 'utf8' })
    expect(files.filter((file) => /\.(c|m)?js$/.test(file))).toEqual([join('dist', 'front-end.js')])
    expect(manifest.server.entry_point).toBe('dist/front-end.js')
    expect(files).toEqual(expect.arrayContaining([join('dist', 'app', 'board.html'), 'icon.png', 'LICENSE']))
    expect(files.filter((file) => /\.node$|node_modules/.test(file))).toEqual([])
    const program = readFileSync(join(unpacked, 'dist', 'front-end.js'), 'utf8')
    expect(/better-sqlite3|require\("[^"]*\.node"\)/.exec(program)?.[0]).toBeUndefined()
    expect(readFileSync(join(unpacked, 'dist', 'front-end.licenses.txt'), 'utf8')).toContain('zod 4.')
  })

  test('has the version of the package and the tools of the server', async () => {
    expect({ file, version: manifest.version }).toEqual({
      file: `nightkiln-${packageVersion}.mcpb`,
      version: packageVersion,
    })
    const home = useTemporaryHome()
    const { client, close } = await connect(home, {})
    expect(client.getServerVersion()).toMatchObject({ name: 'nightkiln', version: packageVersion })
    const { tools } = await client.listTools()
    expect(manifest.tools.map(({ name }) => name)).toEqual(tools.map(({ name }) => name))
    expect(manifest.tools.filter(({ description }) => description === '' || description.includes('\n'))).toEqual([])
    await close()
  })

  test('starts the manager that the state directory knows, and leaves it alone when nothing newer is installed', async () => {
    const home = useTemporaryHome()
    recordManager(home)
    const alone = { HOME: home.home, PATH: '/nowhere' }
    const bundle = await connect(home, alone)
    await bundle.callOk('submit_job', job(home))
    const leading = managerOf(home)
    expect(leading).toMatchObject({ entry: distManager, node: process.execPath, state: 'leading' })
    await bundle.close()
    const newer = join(top, 'newer')
    cpSync(unpacked, newer, { recursive: true })
    writeFileSync(join(newer, 'package.json'), JSON.stringify({ name: 'nightkiln', version: '99.0.0', type: 'module' }))
    const next = await connectStdio({
      environment: { ...home.environment, ...alone },
      ledger: home.ledger,
      command: [process.execPath, join(newer, 'dist', 'front-end.js')],
    })
    await next.callOk('queue_status')
    expect(next.client.getServerVersion()?.version).toBe('99.0.0')
    expect(managerOf(home)).toMatchObject({ pid: leading.pid, epoch: leading.epoch })
    await next.close()
  })

  test('starts it with a real node, never with the program of the application around it', async () => {
    const home = useTemporaryHome()
    const bundle = await connect(
      home,
      { HOME: home.home, PATH: dirname(process.execPath), NIGHTKILN_ENTRY: repositoryRoot },
      '--import',
      join(top, 'electron.mjs'),
    )
    await bundle.callOk('submit_job', job(home))
    expect(managerOf(home)).toMatchObject({ entry: distManager, node: process.execPath })
    await bundle.close()
  })

  test('says what to install when nothing is, lists its tools all the same, and goes on once it is there', async () => {
    const home = useTemporaryHome()
    const bundle = await connect(home, { HOME: home.home, PATH: '/nowhere' }, '--import', join(top, 'electron.mjs'))
    const refused = await bundle.call('submit_job', job(home))
    expect(refused).toMatchObject({ isError: true, text: expect.stringContaining('npm install --global nightkiln') })
    expect((await bundle.client.listTools()).tools).toHaveLength(manifest.tools.length)
    const prefix = join(home.home, '.nvm', 'versions', 'node', `v${process.versions.node}`)
    for (const folder of ['bin', 'lib/node_modules']) mkdirSync(join(prefix, folder), { recursive: true })
    symlinkSync(process.execPath, join(prefix, 'bin', 'node'))
    symlinkSync(repositoryRoot, join(prefix, 'lib', 'node_modules', 'nightkiln'))
    await bundle.callOk('submit_job', job(home))
    expect(managerOf(home).entry).toBe(distManager)
    await bundle.close()
  })
})

function managerOf({ home }: TemporaryHome): ManagerFile {
  return JSON.parse(readFileSync(join(home, 'manager.json'), 'utf8')) as ManagerFile
}

/** What the installed manager leaves when it is stopped. */
function recordManager(home: TemporaryHome): void {
  new ManagerRecord(join(home.home, 'manager.json'), packageVersion).write({ state: 'stopped' })
  writeFileSync(join(home.home, 'manager.json'), JSON.stringify({ ...managerOf(home), entry: distManager, pid: 1 }))
}
