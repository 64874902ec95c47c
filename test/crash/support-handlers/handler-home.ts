import { randomUUID } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'
import { createManagerClient, type ManagerClient } from '../../../src/client/manager-client.ts'
import { captureSubmitContext } from '../../../src/client/submit-context.ts'
import { type StatePaths, statePaths } from '../../../src/config/paths.ts'
import { version } from '../../../src/config/version.ts'
import type { JobView } from '../../../src/domain/wire/shared.ts'
import type { SubmitInput } from '../../../src/domain/wire/submit.ts'
import { isManagerAlive, readManagerFile, waitForManager } from '../../support/manager-process.ts'
import { isAlive, readStat } from '../../support/proc.ts'
import { makeTemporaryHome, type TemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { viewJob, waitForEnd } from '../support-b/queue-client.ts'

export interface HostOnDisk {
  readonly id: string
  readonly pid: number
  readonly alone: boolean
}

/** A state directory whose handler directory the test fills, and a client of its manager. */
export interface HandlerHome extends TemporaryHome {
  readonly paths: StatePaths
  /** A folder for ledgers and gates of jobs: outside the state directory. */
  readonly work: string
  readonly client: ManagerClient
  /** Puts a file into the handler directory, in one step. @returns its path */
  write(name: string, source: string): string
  /** @returns the job's id */
  submit(type: string, params: SubmitInput['params'], more?: Partial<SubmitInput>): Promise<string>
  job(id: string): Promise<JobView>
  /** Waits for the end of jobs, whatever becomes of managers meanwhile. */
  ended(ids: readonly string[], timeoutMs?: number): Promise<readonly JobView[]>
  endOf(id: string, timeoutMs?: number): Promise<JobView>
  /** Hosts whose process lives, as they wrote themselves down. */
  hosts(): readonly HostOnDisk[]
  /** The host that everybody shares, once it is there. */
  sharedHost(): Promise<HostOnDisk>
  managerPid(): Promise<number>
  /** Stops the manager as a person does and proves that nothing of this state directory runs. */
  stop(): Promise<void>
  remove(): Promise<void>
}

type Settings = Readonly<Record<string, unknown>>

function open(settings: Settings): HandlerHome {
  const temporary = makeTemporaryHome()
  const { home, ledger } = temporary
  const work = realpathSync(mkdtempSync(join(tmpdir(), 'nk-handlers-')))
  const paths = statePaths(home)
  mkdirSync(paths.handlers, { recursive: true, mode: 0o700 })
  mkdirSync(dirname(paths.configFile), { recursive: true })
  writeFileSync(paths.configFile, JSON.stringify({ log_level: 'debug', threads: 3, ...settings }))
  // The launcher passes this process's environment on.
  const before = process.env['NIGHTKILN_HOME']
  process.env['NIGHTKILN_HOME'] = home
  const client = createManagerClient({ home, version, submittedBy: 'crash test' })

  const handlerHome: HandlerHome = {
    ...temporary,
    paths,
    work,
    client,
    write(name, source) {
      const file = join(paths.handlers, name)
      // A half-written file would be looked at, too.
      const draft = join(paths.handlers, `.${name}.draft`)
      writeFileSync(draft, source)
      renameSync(draft, file)
      return file
    },
    async submit(type, params, more = {}) {
      const context = captureSubmitContext({ submittedBy: 'crash test', cwd: work })
      const input = { type, params, ...more, idempotency_key: more.idempotency_key ?? randomUUID(), context }
      return (await client.call('submit_job', input)).id
    },
    job: (id) => viewJob(client, id),
    async ended(ids, timeoutMs = 30_000) {
      await waitForEnd(client, ids, timeoutMs)
      return Promise.all(ids.map((id) => viewJob(client, id)))
    },
    async endOf(id, timeoutMs) {
      const [job] = await handlerHome.ended([id], timeoutMs)
      if (job === undefined) throw new Error(`no job ${id}`)
      return job
    },
    hosts: () => readdirSync(paths.hosts).flatMap((id) => hostOf(join(paths.hosts, id))),
    sharedHost: () =>
      waitUntil(() => handlerHome.hosts().find(({ alone }) => !alone), { intervalMs: 5, what: 'the thread host' }),
    managerPid: async () => (await waitForManager(home)).pid,
    async stop() {
      const file = readManagerFile(home)
      if (file !== null && isManagerAlive(file)) {
        await client.call('stop_manager', { running: 'release' })
        await waitUntil(() => !isManagerAlive(file), { what: 'the manager to end' })
        expect(readManagerFile(home)?.state).toBe('stopped')
      }
      await ledger.assertNothingLeft()
    },
    async remove() {
      await client.close()
      if (before === undefined) delete process.env['NIGHTKILN_HOME']
      else process.env['NIGHTKILN_HOME'] = before
      await temporary.remove()
      rmSync(work, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  return handlerHome
}

function hostOf(directory: string): readonly HostOnDisk[] {
  try {
    const record = JSON.parse(readFileSync(join(directory, 'host.json'), 'utf8'))
    const { host_id: id, pid, start_time: startTime, alone } = record
    return isAlive(pid) && readStat(pid)?.startTime === startTime ? [{ id, pid, alone }] : []
  } catch {
    return []
  }
}

/** For the running test alone; it is removed when the test ends. */
export function useHandlerHome(settings: Settings = {}): HandlerHome {
  const home = open(settings)
  onTestFinished(() => home.remove())
  return home
}

/** For all tests of a file, which run one after the other. @param prepare fills it before the first */
export function shareHandlerHome(settings: Settings, prepare: (home: HandlerHome) => Promise<void>): () => HandlerHome {
  let shared: HandlerHome | null = null
  const get = (): HandlerHome => {
    if (shared === null) throw new Error('the shared state directory is not there yet')
    return shared
  }
  beforeAll(async () => {
    shared = open(settings)
    await prepare(shared)
  })
  afterAll(async () => {
    try {
      await shared?.stop()
    } finally {
      await shared?.remove()
    }
  })
  return get
}

/** @returns how each attempt of a job's one unit ended */
export function outcomesOf(job: JobView): readonly string[] {
  return (job.attempt_history ?? []).map(({ outcome }) => outcome)
}

/** Resident memory of a process, bytes. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}
