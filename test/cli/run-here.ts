import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { distMain } from '../support/repository.ts'

interface World {
  readonly environment: Readonly<Record<string, string>>
  readonly cwd: string
  readonly stdin: string
}

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** What ships, not the sources. */
function built<Module>(name: string): Promise<Module> {
  return import(pathToFileURL(join(dirname(distMain), name)).href) as Promise<Module>
}

/** Help and the version go where the parser is told, in every command of its own. */
function writeHelpTo(command: Command, write: (text: string) => void): void {
  command.configureOutput({ writeOut: write, writeErr: write })
  for (const child of command.commands) writeHelpTo(child, write)
}

const inherited = ['HOME', 'NIGHTKILN_HOME', 'NIGHTKILN_NODE'] as const
let running = 0
let own: Readonly<Record<string, string | undefined>> = {}

function setVariables(values: Readonly<Record<string, string | undefined>>): void {
  for (const name of inherited) {
    const value = values[name]
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

/** A manager that the command starts inherits these from this process, which gets its own back when no command runs. */
async function within<Value>(environment: World['environment'], work: () => Promise<Value>): Promise<Value> {
  if (running === 0) own = Object.fromEntries(inherited.map((name) => [name, process.env[name]]))
  running += 1
  setVariables(environment)
  try {
    return await work()
  } finally {
    running -= 1
    if (running === 0) setVariables(own)
  }
}

/** Runs one command line of the built program in this process, with a world of its own, as `runCommandLine` runs it. */
export async function runHere(given: readonly string[], world: World): Promise<Ended> {
  const { buildProgram } = await built<typeof import('../../src/cli/program.ts')>('program.js')
  const { createCommandRunner } = await built<typeof import('../../src/cli/command-runner.ts')>('command-runner.js')
  const { createTerminal } = await built<typeof import('../../src/cli/display/terminal.ts')>('display/terminal.js')
  const { fromCommander, reportError } = await built<typeof import('../../src/cli/report-error.ts')>('report-error.js')
  const written = { stdout: '', stderr: '' }
  const into = (name: keyof typeof written) => (text: string) => {
    written[name] += text
  }
  const streams = { stdout: { write: into('stdout') }, stderr: { write: into('stderr') } }
  const interrupted = new AbortController().signal
  const runner = createCommandRunner(
    {
      environment: world.environment,
      cwd: world.cwd,
      stdin: Readable.from(world.stdin === '' ? [] : [Buffer.from(world.stdin)]),
      now: Date.now,
      randomId: () => crypto.randomUUID(),
      interrupted,
    },
    streams,
  )
  const program = buildProgram(runner)
  writeHelpTo(program, streams.stdout.write)
  try {
    await within(world.environment, () => program.parseAsync([...given], { from: 'user' }))
  } catch (thrown) {
    // The parser throws errors of its own; all others were told by the runner.
    const error = fromCommander(thrown as Parameters<typeof fromCommander>[0], given)
    if (error !== null) {
      const json = given.slice(0, given.indexOf('--') === -1 ? undefined : given.indexOf('--')).includes('--json')
      const terminal = createTerminal(streams, world.environment, json)
      runner.exitCode = reportError(error, { terminal, json, interrupted })
    }
  }
  return { code: runner.exitCode, ...written }
}
