import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkClients } from '../../../src/cli/doctor/client-check.ts'
import { addArguments } from '../../../src/cli/setup/claude-command.ts'
import {
  type ClientName,
  clientConfigurations,
  clientNames,
  type SetupWorld,
} from '../../../src/cli/setup/client-files.ts'
import { runSetup, type SetupRequest } from '../../../src/cli/setup/run-setup.ts'
import {
  lastingPath,
  makeHttpEntry,
  makeServerEntry,
  mergedPath,
  type ServerEntry,
} from '../../../src/cli/setup/server-entry.ts'
import { textDiff } from '../../../src/cli/setup/text-diff.ts'

const entry: ServerEntry = {
  command: '/opt/node/bin/node',
  args: ['/opt/nightkiln/main.js', 'mcp'],
  env: { PATH: '/opt/node/bin:/usr/bin' },
}

function makeWorld(changes: Partial<SetupWorld> = {}): SetupWorld {
  const home = mkdtempSync(join(tmpdir(), 'nk-setup-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  return {
    home,
    platform: 'linux',
    environment: { PATH: join(home, 'bin') },
    project: join(home, 'project'),
    ...changes,
  }
}

function request(changes: Partial<SetupRequest> = {}): SetupRequest {
  return {
    action: 'add',
    scope: 'user',
    clients: [...clientNames],
    dryRun: false,
    stamp: '20300101T000000Z',
    ...changes,
  }
}

function fileOf(world: SetupWorld, client: ClientName, scope: 'user' | 'project' = 'user'): string {
  const found = clientConfigurations(world, scope).find((target) => target.client === client)
  if (found === undefined) throw new Error(`no file for ${client}`)
  return found.file
}

function put(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

const json = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, unknown>>

describe('setup', () => {
  it.each([
    ['claude-desktop', 'linux', '.config/Claude/claude_desktop_config.json', 'mcpServers', false],
    ['claude-desktop', 'darwin', 'Library/Application Support/Claude/claude_desktop_config.json', 'mcpServers', false],
    ['claude-code', 'linux', '.claude.json', 'mcpServers', true],
    ['vscode', 'linux', '.config/Code/User/mcp.json', 'servers', true],
    ['vscode', 'darwin', 'Library/Application Support/Code/User/mcp.json', 'servers', true],
    ['cursor', 'linux', '.cursor/mcp.json', 'mcpServers', false],
  ] as const)('writes %s on %s into %s', (client, platform, path, key, typed) => {
    const world = makeWorld({ platform })
    const [outcome] = runSetup(world, request({ clients: [client] }), entry)
    expect(outcome).toMatchObject({ result: 'added', backup: null, file: join(world.home, path) })
    expect(json(join(world.home, path))).toEqual({ [key]: { nightkiln: typed ? { type: 'stdio', ...entry } : entry } })
  })

  it('writes the folder that store builds of Claude Desktop read on Windows', () => {
    const world = makeWorld({ platform: 'win32' })
    const store = join(world.home, 'AppData/Local/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude')
    mkdirSync(store, { recursive: true })
    const outcomes = runSetup(world, request({ clients: ['claude-desktop'] }), entry)
    expect(outcomes.map((outcome) => outcome.file)).toEqual([join(store, 'claude_desktop_config.json')])
    mkdirSync(join(world.home, 'AppData/Roaming/Claude'), { recursive: true })
    expect(runSetup(world, request({ clients: ['claude-desktop'] }), entry).map((outcome) => outcome.result)).toEqual([
      'added',
      'unchanged',
    ])
  })

  it('writes every editor of the VS Code family that is there, and profiles with servers of their own', () => {
    const world = makeWorld()
    const editors = join(world.home, '.config')
    mkdirSync(join(editors, 'Code - Insiders', 'User', 'profiles', 'shares'), { recursive: true })
    mkdirSync(join(editors, 'VSCodium', 'User'), { recursive: true })
    put(join(editors, 'Code - Insiders', 'User', 'profiles', 'own', 'mcp.json'), '{"servers": {"other": {}}}')
    const outcomes = runSetup(world, request({ clients: ['vscode'] }), entry)
    expect(outcomes.map((outcome) => outcome.file)).toEqual(
      ['Code - Insiders/User/mcp.json', 'Code - Insiders/User/profiles/own/mcp.json', 'VSCodium/User/mcp.json'].map(
        (file) => join(editors, file),
      ),
    )
    expect(json(outcomes[1]?.file ?? '')['servers']).toEqual({ other: {}, nightkiln: { type: 'stdio', ...entry } })
  })

  it('writes the file of any other client in the form that most share', () => {
    const world = makeWorld()
    const file = join(world.home, 'other', 'mcp_config.json')
    put(file, '{"mcpServers": {"other": {}}}')
    const http = makeHttpEntry('http://127.0.0.1:8765/mcp', `nk_${'x'.repeat(43)}`)
    const [outcome] = runSetup(world, request({ clients: [], file }), http)
    expect(json(file)).toEqual({ mcpServers: { other: {}, nightkiln: http } })
    const shown = textDiff(outcome?.change?.before ?? '', outcome?.change?.after ?? '').join('\n')
    expect(shown).toContain('Bearer nk_…')
    expect(shown).not.toContain('xxx')
  })

  it('writes the files of a project', () => {
    const world = makeWorld()
    runSetup(world, request({ scope: 'project', clients: [] }), entry)
    expect(json(join(world.project, '.mcp.json'))['mcpServers']).toHaveProperty('nightkiln')
    expect(json(join(world.project, '.vscode/mcp.json'))['servers']).toHaveProperty('nightkiln')
    expect(json(join(world.project, '.cursor/mcp.json'))['mcpServers']).toHaveProperty('nightkiln')
  })

  it('without a name writes only the clients that are installed', () => {
    const world = makeWorld()
    mkdirSync(join(world.home, '.cursor'))
    expect(runSetup(world, request({ clients: [] }), entry).map((outcome) => outcome.client)).toEqual(['cursor'])
    expect(existsSync(join(world.home, '.claude.json'))).toBe(false)
  })

  it.each(clientNames)('keeps everything else in the file of %s, with a backup, and is idempotent', (client) => {
    const world = makeWorld()
    const file = fileOf(world, client)
    const before =
      '{\n    "unknown": [1, 2.50, null],\n    "mcpServers": {"other": {"command": "x", "odd": true}},\n    "servers": {"other": {}}\n}\n'
    put(file, before)
    chmodSync(file, 0o640)
    const [outcome] = runSetup(world, request({ clients: [client] }), entry)
    const { nightkiln: _, ...others } = { ...json(file)['mcpServers'], ...json(file)['servers'] }
    expect(others).toEqual({ other: client === 'vscode' ? {} : expect.anything() })
    expect(readFileSync(file, 'utf8')).toContain('"unknown": [1, 2.50, null]')
    expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(outcome?.backup).not.toBeNull()
    expect(readFileSync(outcome?.backup ?? '', 'utf8')).toBe(before)
    const [again] = runSetup(world, request({ clients: [client] }), entry)
    expect(again).toMatchObject({ result: 'unchanged', backup: null })
    const [removed] = runSetup(world, request({ clients: [client], action: 'remove' }), entry)
    expect(removed?.result).toBe('removed')
    expect(readFileSync(file, 'utf8')).toBe(before)
    expect(readdirSync(dirname(file)).filter((name) => name.includes('backup'))).toHaveLength(2)
  })

  it('updates an entry of an older installation', () => {
    const world = makeWorld()
    const file = fileOf(world, 'cursor')
    put(file, '{"mcpServers":{"nightkiln":{"command":"/old/node","args":[]}}}')
    expect(runSetup(world, request({ clients: ['cursor'] }), entry)[0]?.result).toBe('updated')
    expect(json(file)['mcpServers']?.['nightkiln']).toEqual(entry)
  })

  it('changes nothing in a dry run', () => {
    const world = makeWorld()
    const file = fileOf(world, 'cursor')
    put(file, '{"a": 1}')
    const [outcome] = runSetup(world, request({ clients: ['cursor'], dryRun: true }), entry)
    expect(outcome).toMatchObject({ result: 'added', backup: null })
    expect(outcome?.change?.after).toContain('nightkiln')
    expect(readFileSync(file, 'utf8')).toBe('{"a": 1}')
    expect(readdirSync(dirname(file))).toEqual(['mcp.json'])
  })

  it.each([
    ['comments that the client does not take', '{\n  // mine\n  "a": 1\n}', /comments/],
    ['broken JSON', '{"a": ', /not JSON/],
    ['a list', '[1]', /not a JSON object/],
    ['servers that are a list', '{"mcpServers": []}', /"mcpServers" is not an object/],
  ])('leaves a file with %s alone, says why, and goes on with the other clients', (_, text, reason) => {
    const world = makeWorld()
    const file = fileOf(world, 'claude-desktop')
    put(file, text)
    const outcomes = runSetup(world, request({ clients: ['claude-desktop', 'vscode'] }), entry)
    const failed = outcomes.find((outcome) => outcome.client === 'claude-desktop')
    expect(failed).toMatchObject({ result: 'failed', error: { code: 'config_invalid' } })
    expect(failed?.error?.message).toMatch(reason)
    expect(failed?.error?.remedy).toContain('"nightkiln"')
    expect(readFileSync(file, 'utf8')).toBe(text)
    expect(outcomes.find((outcome) => outcome.client === 'vscode')?.result).toBe('added')
  })

  it.each(['vscode', 'cursor'] as const)('keeps the comments and trailing commas of %s', (client) => {
    const world = makeWorld()
    const file = fileOf(world, client)
    const key = client === 'vscode' ? 'servers' : 'mcpServers'
    const before = `{\n  // mine\n  "${key}": {\n    "other": {}, // of another\n  },\n}\n`
    put(file, before)
    expect(runSetup(world, request({ clients: [client] }), entry)[0]).toMatchObject({ result: 'added', error: null })
    const text = readFileSync(file, 'utf8')
    expect(text).toContain('// mine')
    expect(text).toContain('"other": {}, // of another\n    "nightkiln": {')
    expect(runSetup(world, request({ clients: [client] }), entry)[0]?.result).toBe('unchanged')
    expect(runSetup(world, request({ clients: [client], action: 'remove' }), entry)[0]?.result).toBe('removed')
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  it('takes an empty file and one with a byte order mark', () => {
    const world = makeWorld()
    put(fileOf(world, 'cursor'), '')
    put(fileOf(world, 'vscode'), '\ufeff{"a": 1}')
    runSetup(world, request({ clients: ['cursor', 'vscode'] }), entry)
    expect(json(fileOf(world, 'cursor'))['mcpServers']).toHaveProperty('nightkiln')
    const text = readFileSync(fileOf(world, 'vscode'), 'utf8')
    expect(text.startsWith('\ufeff{"a": 1,')).toBe(true)
  })

  it('writes through a link instead of replacing it', () => {
    const world = makeWorld()
    const real = join(world.home, 'dotfiles', 'mcp.json')
    put(real, '{}')
    mkdirSync(join(world.home, '.cursor'))
    symlinkSync(real, fileOf(world, 'cursor'))
    runSetup(world, request({ clients: ['cursor'] }), entry)
    expect(lstatSync(fileOf(world, 'cursor')).isSymbolicLink()).toBe(true)
    expect(json(real)['mcpServers']).toHaveProperty('nightkiln')
  })

  it('removes nothing where nothing is', () => {
    const world = makeWorld()
    expect(runSetup(world, request({ action: 'remove' }), entry).map((outcome) => outcome.result)).toEqual(
      clientNames.map(() => 'unchanged'),
    )
    expect(readdirSync(world.home)).toEqual([])
  })
})

describe("Claude Code's own command", () => {
  /** A stand-in that notes its arguments and does what the real one does to the file. */
  function installClaude(world: SetupWorld, script: string): string {
    const file = join(world.home, 'bin', 'claude')
    put(file, `#!/bin/sh\nprintf '%s\\n' "$*" >> "${join(world.home, 'calls')}"\n${script}\n`)
    chmodSync(file, 0o755)
    return file
  }

  it('is used when it is there, with its arguments in an order that it understands', () => {
    const world = makeWorld()
    const written = JSON.stringify({ mcpServers: { nightkiln: { type: 'stdio', ...entry } } })
    installClaude(world, `printf '%s' '${written}' > "$HOME/.claude.json"`)
    const [outcome] = runSetup(world, request({ clients: [] }), entry)
    expect(outcome).toMatchObject({ client: 'claude-code', how: 'claude', result: 'added' })
    const call = readFileSync(join(world.home, 'calls'), 'utf8').trim()
    expect(call).toBe(
      `mcp add --env PATH=${entry.env['PATH']} --scope user nightkiln -- ${entry.command} ${entry.args.join(' ')}`,
    )
  })

  it('is not called in a dry run', () => {
    const world = makeWorld()
    installClaude(world, 'exit 0')
    runSetup(world, request({ clients: ['claude-code'], dryRun: true }), entry)
    expect(existsSync(join(world.home, 'calls'))).toBe(false)
  })

  it.each(['exit 1', 'exit 0'])('is replaced by writing the file when it does not do its work (%s)', (script) => {
    const world = makeWorld()
    installClaude(world, script)
    const [outcome] = runSetup(world, request({ clients: ['claude-code'] }), entry)
    expect(outcome).toMatchObject({ how: 'file', result: 'added' })
    expect(json(join(world.home, '.claude.json'))['mcpServers']).toHaveProperty('nightkiln')
  })

  it('gets no list option right before the name', () => {
    const given = addArguments({ ...entry, env: { A: '1', B: '2' } })
    expect(given[given.indexOf('nightkiln') - 2]).toBe('--scope')
  })
})

describe('what setup writes and shows', () => {
  it('merges paths in order, each folder once, with that of node', () => {
    expect(mergedPath(['/a:/b', '/b:/c', null], '/n/bin/node')).toBe('/n/bin:/a:/b:/c')
    expect(mergedPath(['/a:/n/bin'], '/n/bin/node')).toBe('/a:/n/bin')
  })

  it('writes the PATH of the login shell and what the terminal has beside it, but nothing of one run of npm', () => {
    expect(lastingPath('/a:bin::/p/node_modules/.bin:/b')).toBe('/a:/b')
    const world = makeWorld({ environment: { PATH: '/terminal:/p/node_modules/.bin:/login' } })
    expect(makeServerEntry(world, '/login:/usr/bin').env['PATH']).toMatch(/\/login:\/usr\/bin:\/terminal$/)
  })

  it('shows the change, but no values of the neighbours, which may be keys', () => {
    const before =
      '{\n  "mcpServers": {\n    "other": {\n      "env": {\n        "TOKEN": "secret-1"\n      }\n    }\n  }\n}\n'
    const after = before.replace('    }\n  }\n}', '    },\n    "nightkiln": 1\n  }\n}')
    const diff = textDiff(before, after).join('\n')
    expect(diff).toContain('+     "nightkiln": 1')
    expect(diff).not.toMatch(/^-/m)
    expect(diff.match(/^\+/gm)).toHaveLength(1)
    expect(diff).not.toContain('secret-1')
    const minified = `{"other":{"TOKEN":"secret-2"},"x":"${'y'.repeat(400)}"}`
    expect(textDiff(minified, `${minified.slice(0, -1)},"nightkiln":1}`).join('\n')).not.toContain('secret-2')
  })
})

describe('doctor on MCP clients', () => {
  it('finds none, working ones, and those whose paths are gone', () => {
    const world = makeWorld()
    const session = { environment: { HOME: world.home, PATH: '' }, cwd: world.project }
    expect(checkClients(session)).toMatchObject({ status: 'warning', detail: 'none is set up' })
    const works = { command: process.execPath, args: [join(world.home, 'main.js'), 'mcp'], env: {} }
    writeFileSync(join(world.home, 'main.js'), '')
    runSetup(world, request({ clients: ['cursor'] }), works)
    expect(checkClients(session)).toMatchObject({ status: 'ok', detail: 'Cursor' })
    put(fileOf(world, 'claude-desktop'), '{')
    expect(checkClients(session).detail).toMatch(/^set up: Cursor; not read: .*claude_desktop_config/)
    rmSync(join(world.home, 'main.js'))
    expect(checkClients(session)).toMatchObject({ status: 'problem' })
    expect(checkClients(session).detail).toContain('main.js')
  })
})
