import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import { killManager } from '../support/manager-process.ts'
import { type TemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'
import { useQueue } from './queue.ts'
import { jsonOf, runCli, runProcess, submitScript } from './run-cli.ts'

interface Check {
  readonly id: string
  readonly status: string
  readonly detail: string
  readonly remedy: string | null
}

async function examine(home: TemporaryHome, environment: Record<string, string> = {}) {
  const result = await runCli(home, ['doctor', '--json'], { environment })
  const checks = jsonOf(result)['checks'] as Check[]
  const named = (id: string): Check => {
    const found = checks.find((check) => check.id === id)
    if (found === undefined) throw new Error(`no check ${id} in ${result.stdout}`)
    return found
  }
  return {
    code: result.code,
    checks,
    named,
    problems: checks.filter((check) => check.status === 'problem').map((check) => check.id),
  }
}

describe('doctor', () => {
  it('finds nothing wrong before the first start, starts nothing, and shows a line per check', async () => {
    const home = useTemporaryHome()
    const { code, problems, checks } = await examine(home)
    expect({ code, problems }).toEqual({ code: 0, problems: [] })
    expect(checks.map((check) => check.id)).toEqual([
      'node',
      'native_module',
      'state_directory',
      'file_system',
      'free_space',
      'configuration',
      'socket',
      'lock',
      'manager',
      'database',
      'handlers',
      'gpu_workers',
      'self_healing',
      'desktop_path',
      'mcp_clients',
    ])
    const people = await runProcess(home, ['doctor'])
    expect(people.stdout).toContain('native module better-sqlite3: SQLite')
    await home.ledger.assertNothingLeft()
  })

  it('with a manager, after its death, and after its stop', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    expect(await queue.ended(await queue.submit('true'))).toBe('completed')
    // A manager that never had work is not healed when it dies.
    await runCli(home, ['manager', 'stop'])
    await runCli(home, ['manager', 'start'])
    const running = await examine(home)
    expect(running.problems).toEqual([])
    expect(running.named('lock').detail).toContain('held by the manager')
    expect(running.named('database').detail).toContain('healthy')
    await killManager(home.home)
    const dead = await examine(home)
    expect(dead.problems).toEqual([])
    expect(dead.named('lock').detail).toContain('free')
    expect(dead.named('database').detail).toContain('sound, 1 job')
    expect(dead.named('socket').status).toBe('warning')
  })

  it('names a state directory that others may read', async () => {
    const home = useTemporaryHome()
    chmodSync(home.home, 0o755)
    const { code, problems, named } = await examine(home)
    expect({ code, problems }).toEqual({ code: 13, problems: ['state_directory'] })
    expect(named('state_directory').remedy).toBe(`Run: chmod 700 ${home.home}`)
  })

  it('names a state directory that is a file, or a link', async () => {
    const home = useTemporaryHome()
    const file = join(home.home, 'file')
    writeFileSync(file, '')
    expect((await examine(home, { NIGHTKILN_HOME: file })).problems).toContain('state_directory')
    const link = join(home.home, 'link')
    mkdirSync(join(home.home, 'real'), { mode: 0o700 })
    symlinkSync(join(home.home, 'real'), link)
    expect((await examine(home, { NIGHTKILN_HOME: link })).named('state_directory').status).toBe('warning')
  })

  it('names a bad key of the configuration', async () => {
    const home = useTemporaryHome()
    const file = join(home.home, 'config', 'config.json')
    mkdirSync(dirname(file))
    writeFileSync(file, '{"slots": "many"}')
    const { code, problems, named } = await examine(home)
    expect({ code, problems }).toEqual({ code: 13, problems: ['configuration'] })
    expect(named('configuration').detail).toContain('slots')
  })

  it('finds a damaged and a missing database', async () => {
    const home = useTemporaryHome()
    const paths = statePaths(home.home)
    await submitScript(home, 'true')
    await runCli(home, ['manager', 'stop'])
    const descriptor = openSync(paths.database, 'r+')
    writeSync(descriptor, Buffer.alloc(8192, 0x55), 0, 8192, 4096)
    closeSync(descriptor)
    const damaged = await examine(home)
    expect(damaged.code).toBe(13)
    expect(damaged.problems).toEqual(['database'])
    for (const end of ['', '-wal', '-shm']) rmSync(`${paths.database}${end}`, { force: true })
    const missing = await examine(home)
    expect(missing.problems).toEqual(['database'])
    expect(missing.named('database').detail).toContain('missing')
  })

  it('finds self-healing that gave up, with the reason', async () => {
    const home = useTemporaryHome()
    const paths = statePaths(home.home)
    writeFileSync(
      paths.deathsFile,
      JSON.stringify({
        deaths: [{ at: Date.now(), epoch: 3, pid: 1 }],
        healing_stopped: { at: Date.now(), reason: 'the manager died 5 times' },
      }),
    )
    const { code, named } = await examine(home)
    expect(code).toBe(13)
    expect(named('self_healing')).toMatchObject({ status: 'problem' })
    expect(named('self_healing').detail).toContain('the manager died 5 times')
  })

  it('tells why the last start failed', async () => {
    const home = useTemporaryHome()
    writeFileSync(statePaths(home.home).database, 'not a database, but text of some length')
    const listed = await runCli(home, ['list', '--json'])
    expect(listed.code).toBeGreaterThan(0)
    const { problems, named } = await examine(home)
    expect(problems).toEqual(['manager', 'database'])
    expect(named('manager').detail).toContain('the last start failed')
  })

  it('a relative NIGHTKILN_HOME is a finding, not a crash', async () => {
    const home = useTemporaryHome()
    const { code, problems } = await examine(home, { NIGHTKILN_HOME: 'state' })
    expect({ code, problems }).toEqual({ code: 13, problems: ['state_directory'] })
  })

  it('a node that is none is a finding', async () => {
    const home = useTemporaryHome()
    const { problems } = await examine(home, { NIGHTKILN_NODE: join(home.home, 'no-node') })
    expect(problems).toEqual(expect.arrayContaining(['node', 'native_module']))
  })
})

describe('doctor --accept-database', () => {
  it('makes a backup that was put back on purpose usable again, and says so', async () => {
    const home = useTemporaryHome()
    const { database } = statePaths(home.home)
    await runCli(home, ['submit', '--wait', '--', 'true'])
    await runCli(home, ['manager', 'stop'])
    copyFileSync(database, `${database}.backup`)
    await runCli(home, ['submit', '--wait', '--', 'true'])
    await runCli(home, ['manager', 'stop'])
    for (const file of [`${database}-wal`, `${database}-shm`]) rmSync(file, { force: true })
    renameSync(`${database}.backup`, database)

    const refused = await runCli(home, ['list'])
    expect(refused.code).toBe(8)
    expect(refused.stderr).toContain('nightkiln doctor --accept-database')
    const accepted = await runCli(home, ['doctor', '--accept-database', '--json'])
    expect(jsonOf(accepted)).toMatchObject({ accepted: true })
    expect((jsonOf(await runCli(home, ['list', '--json']))['jobs'] as unknown[]).length).toBe(1)
  })

  it('is refused while a manager runs', async () => {
    const home = useTemporaryHome()
    await runCli(home, ['manager', 'start'])
    const result = await runCli(home, ['doctor', '--accept-database'])
    expect(result.code).toBe(8)
    expect(result.stderr).toContain('a manager runs')
  })
})
