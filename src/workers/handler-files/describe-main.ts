import { readFileSync, writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { definitionOf } from '../../handler/definition-of.ts'
import { loadModule } from '../thread-host/load-module.ts'
import { describeHandler } from './describe.ts'
import { type DescribeOrder, describeOrder, type FileDescription } from './description.ts'
import { loadProblem } from './load-problem.ts'

/**
 * Loads files of the handler directory one after the other and says what each one is: a line of JSON on file descriptor 3, after
 * a first line "ready". What they print goes to stderr. A process of its own: the modules are foreign code, which may loop for
 * ever or end it.
 */

const answers = 3

function tell(line: string): void {
  const bytes = Buffer.from(`${line}\n`)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(answers, bytes, at)
    } catch (error) {
      // The pipe is full for a moment.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

/** Ends the process when whoever started it is gone, even while a module loops for ever. */
function watchParent(longestMs: number): void {
  const watcher = `
    const { parent, longestMs } = require('node:worker_threads').workerData
    const begun = performance.now()
    setInterval(() => {
      if (process.ppid !== parent || performance.now() - begun > longestMs) process.kill(process.pid, 'SIGKILL')
    }, 500)`
  new Worker(watcher, { eval: true, workerData: { parent: process.ppid, longestMs }, stdin: false }).unref()
}

async function describeFile(file: string): Promise<FileDescription> {
  let stuck = () => {}
  const neverLoads = new Promise<never>((_, reject) => {
    stuck = () => reject(new Error('it waits at its top level for something that never comes'))
  })
  // Nothing is left to do, and the module is not there yet.
  process.once('beforeExit', stuck)
  try {
    const namespace = await Promise.race([loadModule(file), neverLoads])
    const definition = definitionOf(namespace)
    if (definition === null) return { ok: false, file, problem: exportProblem(namespace) }
    return { ok: true, file, info: describeHandler(definition) }
  } catch (error) {
    return { ok: false, file, problem: loadProblem(error, file) }
  } finally {
    process.off('beforeExit', stuck)
  }
}

function exportProblem(namespace: unknown): string {
  const has = typeof namespace === 'object' && namespace !== null && 'default' in namespace
  return has
    ? 'its default export is not made by defineHandler; write: export default defineHandler({ … })'
    : 'it has no default export; write: export default defineHandler({ … })'
}

const order: DescribeOrder = describeOrder.parse(JSON.parse(readFileSync(0, 'utf8')))
watchParent(order.longest_ms)
process.setSourceMapsEnabled(true)
// What a module leaves running does not keep the others from being described.
process.on('uncaughtException', (error) => process.stderr.write(`${error.stack ?? error}\n`))
process.on('unhandledRejection', (reason) => process.stderr.write(`${String(reason)}\n`))
const standardOutput = process.stderr.write.bind(process.stderr)
process.stdout.write = standardOutput as typeof process.stdout.write
tell('ready')
for (const file of order.files) tell(JSON.stringify(await describeFile(file)))
process.exit(0)
