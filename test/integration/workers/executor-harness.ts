import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { attemptDirectory, statePaths } from '../../../src/config/paths.ts'
import { systemClock } from '../../../src/domain/clock.ts'
import type { Progress, RunnerIdentity } from '../../../src/domain/job.ts'
import type { AttemptEnd, AttemptObserver } from '../../../src/domain/ports/attempt.ts'
import type { CommandExecutor, CommandSpec, CommandTask } from '../../../src/domain/ports/executor.ts'
import { bootId } from '../../../src/platform/process-identity.ts'
import { type CommandExecutorOptions, createCommandExecutor } from '../../../src/workers/command-executor.ts'
import { isAlive } from '../../support/proc.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'

export const instanceId = 'instance-of-tests'

export interface Recorded extends AttemptObserver {
  readonly runners: RunnerIdentity[]
  readonly progress: Progress[]
  readonly ends: AttemptEnd[]
  /** @returns the end, once there is one */
  end(timeoutMs?: number): Promise<AttemptEnd>
  runner(): Promise<RunnerIdentity>
}

export function recordObserver(): Recorded {
  const runners: RunnerIdentity[] = []
  const progress: Progress[] = []
  const ends: AttemptEnd[] = []
  return {
    runners,
    progress,
    ends,
    started: (runner) => runners.push(runner),
    progressed: (one) => progress.push(one),
    ended: (end) => ends.push(end),
    end: (timeoutMs = 20_000) => waitUntil(() => ends[0], { timeoutMs, what: 'the end of the command', intervalMs: 5 }),
    runner: () => waitUntil(() => runners[0], { what: 'the start of the command', intervalMs: 5 }),
  }
}

export interface LogLine {
  readonly level: string
  readonly details: object
  readonly message: string
}

export interface Harness {
  readonly home: string
  /** An existing directory for the command. */
  readonly work: string
  readonly log: LogLine[]
  readonly executor: CommandExecutor
  another(options?: Partial<CommandExecutorOptions>): CommandExecutor
  task(spec: Partial<CommandSpec> | string, more?: Partial<Omit<CommandTask, 'spec'>>): CommandTask
  directory(task: CommandTask): string
  read(name: string): string
  /** Living processes that carry the mark of the attempt. */
  marked(task: CommandTask): readonly number[]
}

/** An executor on a state directory of its own; what is left of its commands is killed when the test ends. */
export function useExecutor(options: Partial<CommandExecutorOptions> = {}): Harness {
  const { home } = useTemporaryHome()
  const paths = statePaths(home)
  const work = join(home, 'work')
  mkdirSync(work)
  const log: LogLine[] = []
  const write = (level: string) => (details: object, message: string) => void log.push({ level, details, message })
  const another = (more: Partial<CommandExecutorOptions> = {}): CommandExecutor => {
    const executor = createCommandExecutor({
      paths,
      instanceId,
      clock: systemClock,
      shell: '/bin/sh',
      bootId: bootId(),
      log: { debug: write('debug'), warn: write('warn'), error: write('error') },
      ...options,
      ...more,
    })
    onTestFinished(() => executor.detach())
    return executor
  }
  return {
    home,
    work,
    log,
    another,
    executor: another(),
    task: (spec, more = {}) => makeTask(work, spec, more),
    directory: (task) => attemptDirectory(paths, task.fence),
    read: (name) => readFileSync(join(work, name), 'utf8'),
    marked: markedProcesses,
  }
}

/** @param spec argv as an array in a spec, or a script for /bin/sh */
export function makeTask(
  work: string,
  spec: Partial<CommandSpec> | string,
  more: Partial<Omit<CommandTask, 'spec'>> = {},
): CommandTask {
  const given = typeof spec === 'string' ? { argv: ['/bin/sh', '-c', spec] } : spec
  const nonce = randomBytes(6).toString('hex')
  return {
    fence: { unitId: `unit-${nonce}`, attempt: 1, nonce, workerId: 'worker' },
    jobId: 'job-1',
    spec: {
      argv: ['/bin/true'],
      cwd: work,
      environment: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
      stdin: null,
      interactive: false,
      successExitCodes: [0],
      ...given,
    },
    files: [],
    frozen: false,
    unitTimeoutMs: null,
    idleTimeoutMs: null,
    cancelGraceMs: 3_000,
    maxOutputBytes: 1024 * 1024,
    elapsedMs: 0,
    ...more,
  }
}

/** Looks by itself, not with the code under test. */
export function markedProcesses(task: CommandTask): readonly number[] {
  const wanted = [
    `NIGHTKILN_ATTEMPT_UNIT=${task.fence.unitId}`,
    `NIGHTKILN_FENCE=${task.fence.attempt}.${task.fence.nonce}`,
  ]
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const entries = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
        return wanted.every((entry) => entries.includes(entry)) && isAlive(pid)
      } catch {
        return false
      }
    })
}

/** @returns the pid that a command wrote to a file of its working directory */
export function pidIn(harness: Harness, name: string): Promise<number> {
  return waitUntil(() => Number(harness.read(name).trim()) || null, { what: `a pid in ${name}`, intervalMs: 5 })
}

/** @returns bytes on disk of all files of an attempt */
export function diskBytes(directory: string): number {
  let sum = 0
  for (const name of readdirSync(directory)) {
    sum += statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0
  }
  return sum
}
