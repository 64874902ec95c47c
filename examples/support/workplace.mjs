import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { openChat } from './chat.mjs'
import { commandLine, nightkiln } from './command-line.mjs'
import { until } from './until.mjs'

/** The others belong to the shell that this is run from, not to the example. */
const ownVariables = /^NIGHTKILN_/

/**
 * Runs one story in a folder and a state directory of its own, prints what happens, and ends the process: 0 when every
 * promise was kept. Everything that was started is ended, the folder is removed.
 *
 * EXAMPLE_FOLDER keeps the files: an empty folder to work in, which is not removed; facts.json in it tells what was seen.
 * @param title one line
 * @param play the story
 */
export async function story(title, play) {
  const begun = performance.now()
  const kept = process.env.EXAMPLE_FOLDER
  const folder = realpathSync(kept ?? mkdtempSync(join(tmpdir(), 'nk-example-')))
  const place = new Workplace(folder)
  place.line(`${title}\n`)
  try {
    await play(place)
  } catch (error) {
    place.promise('the story could be played to its end', false, error.stack)
  }
  await place.leaveNothingBehind()
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  const { broken } = place
  place.line(
    broken.length === 0 ? `\nEvery promise was kept (${seconds} s).` : `\n${broken.length} broken (${seconds} s).`,
  )
  if (kept === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  else writeFileSync(join(folder, 'facts.json'), `${JSON.stringify({ ...place.facts, broken }, null, 2)}\n`)
  process.exitCode = broken.length === 0 ? 0 : 1
}

/** Where a story happens: its folder, its own state directory, a terminal and chats. */
class Workplace {
  facts = {}
  broken = []
  #chats = []
  #closers = []

  constructor(folder) {
    this.folder = join(folder, 'work')
    this.home = join(folder, 'state')
    mkdirSync(join(this.home, 'config'), { recursive: true, mode: 0o700 })
    mkdirSync(this.folder)
    const inherited = Object.entries(process.env).filter(([name]) => !ownVariables.test(name))
    // As on a machine where the package is installed: commands of jobs find `nightkiln` by PATH.
    const programs = join(folder, 'bin')
    mkdirSync(programs)
    const quoted = nightkiln.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
    writeFileSync(join(programs, 'nightkiln'), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 })
    this.environment = {
      ...Object.fromEntries(inherited),
      PATH: `${programs}${delimiter}${process.env.PATH}`,
      NIGHTKILN_HOME: this.home,
    }
    // As on a machine of four cores: what is shown does not depend on where it is run.
    writeFileSync(join(this.home, 'config', 'config.json'), '{"slots":4}\n')
  }

  line(text) {
    process.stdout.write(`${text}\n`)
  }

  /** One step of the story. */
  say(text) {
    this.line(`• ${text}`)
  }

  /** One promise of the product: printed, and counted when it does not hold. @param detail shown when it is broken */
  promise(text, holds, detail = '') {
    this.line(holds ? `  kept: ${text}` : `  BROKEN: ${text}${detail === '' ? '' : ` (${shown(detail)})`}`)
    if (!holds) this.broken.push(text)
  }

  /** Something that was seen, for facts.json. */
  fact(name, value) {
    this.facts[name] = value
  }

  /** Runs `nightkiln …` with --json. @returns its answer. @throws Error with its error when the exit code is another than expected */
  async cli(args, options = {}) {
    const { answer } = await commandLine(args, { environment: this.environment, cwd: this.folder, ...options })
    return answer
  }

  /** The same for a command that may end in several ways: {exitCode, answer, problem}. */
  tryCli(args, options = {}) {
    return commandLine(args, { environment: this.environment, cwd: this.folder, exitCodes: null, ...options })
  }

  /** The job once it has ended; its failure is an answer like any other. */
  async ended(id, length = '60s') {
    const { answer, problem } = await this.tryCli(['wait', id, '--timeout', length])
    const job = answer?.jobs[0]
    if (job?.final !== true) throw new Error(`job ${id} did not end in ${length}: ${job?.why ?? problem}`)
    return job
  }

  /** A chat: a real MCP client with a server of its own. */
  async openChat() {
    const chat = await openChat(this.environment, this.folder)
    this.#chats.push(chat)
    return chat
  }

  /** What must be ended with the story, such as a site. */
  atEnd(close) {
    this.#closers.push(close)
  }

  /** kill -9 of the manager that leads now. @returns its pid */
  killManager() {
    const { pid } = this.managerFile()
    process.kill(pid, 'SIGKILL')
    return pid
  }

  /** What is written down of the manager; null before its first start. */
  managerFile() {
    const file = join(this.home, 'manager.json')
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null
  }

  async leaveNothingBehind() {
    for (const chat of this.#chats) await chat.close()
    await this.tryCli(['manager', 'stop', '--release'])
    for (const close of this.#closers) await close()
    try {
      await until('nothing runs any more', () => processesOf(this.home).length === 0, 8_000)
    } catch {
      const left = processesOf(this.home)
      for (const pid of left) tryKill(pid)
      this.promise('no process is left behind', false, left.join(', '))
    }
  }
}

/**
 * @returns pids of all processes that carry this state directory in their environment; empty where there is no /proc
 */
function processesOf(home) {
  const mark = `NIGHTKILN_HOME=${home}\0`
  let entries = []
  try {
    entries = readdirSync('/proc')
  } catch {
    return []
  }
  return entries.filter((entry) => /^\d+$/.test(entry) && environmentOf(entry).includes(mark)).map(Number)
}

function environmentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return ''
  }
}

function tryKill(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone meanwhile.
  }
}

function shown(detail) {
  return typeof detail === 'string' ? detail : JSON.stringify(detail)
}
