import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { OutputFacts } from '../../../src/domain/ports/attempt.ts'
import { isAlive } from '../../support/proc.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { pidIn, recordObserver, useExecutor } from './executor-harness.ts'
import { startUnder } from './start-under.ts'

/** The attempt directory as a script sees it. */
const own = 'D="$NIGHTKILN_HOME/attempts/$NIGHTKILN_ATTEMPT_UNIT.$NIGHTKILN_FENCE"'

async function runScript(script: string, harness = useExecutor()) {
  const observer = recordObserver()
  const task = harness.task(`${own}; ${script}`)
  harness.executor.start(task, observer)
  return { harness, observer, task, end: await observer.end() }
}

function state(pid: number): string | undefined {
  return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
}

const replacements = [
  ['null in the index of the output', 'echo null >"$D/output.json"'],
  ['a FIFO as the index of the output', 'mkfifo "$D/output.json"'],
  ['a directory as the index of the output', 'mkdir "$D/output.json"'],
  ['a FIFO as output', 'rm "$D/output"; mkfifo "$D/output"'],
  ['a directory as output', 'rm "$D/output"; mkdir "$D/output"'],
  ['an endless device as output', 'rm "$D/output"; ln -s /dev/zero "$D/output"'],
  [
    'FIFOs as everything else',
    'rm -f "$D/started" "$D/pid"; mkfifo "$D/started" "$D/pid" "$D/stop" "$D/stop.tmp" "$D/output.json.tmp"',
  ],
  ['a directory as exit', 'mkdir "$D/exit"'],
  ['a FIFO as exit', 'mkfifo "$D/exit" "$D/gate/exit"'],
] as const

test.for(replacements)('a command that leaves %s ends with its own code', async ([, script]) => {
  const { end, harness, task, observer } = await runScript(`${script}; echo hello; sleep 0.3; exit 5`)
  expect(end).toMatchObject({ kind: 'exited', exitCode: 5 })
  expect(observer.ends).toHaveLength(1)
  expect(await harness.executor.readOutput(task.fence, { offset: -100, maxBytes: 100 })).toMatchObject({ offset: 0 })
  // Not a line for every look.
  expect(harness.log.length).toBeLessThan(4)
})

test.for(replacements)('a command that left %s is adopted', async ([, script]) => {
  const harness = useExecutor()
  const task = harness.task(`${own}; ${script}; echo $$ >ready; while [ ! -e finish ]; do sleep 0.02; done; exit 5`)
  const manager = startUnder(harness, task)
  const runner = await manager.runner()
  await pidIn(harness, 'ready')
  await manager.kill()
  const observer = recordObserver()
  harness.executor.adopt(task, runner, observer)
  await harness.executor.readOutput(task.fence, { offset: 0, maxBytes: 100 })
  writeFileSync(join(harness.work, 'finish'), '')
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 5 })
})

test.for([
  ['its attempt directory', 'rm -rf "$D"'],
  ['all attempt directories', 'rm -rf "$NIGHTKILN_HOME/attempts"'],
  ['all that is in it', 'rm -rf "$D"/*'],
] as const)('a command that removes %s is lost, not one that never ran', async ([, script]) => {
  const { end } = await runScript(`${script}; exit 0`)
  expect(end).toMatchObject({ kind: 'lost', countsAsCrash: true })
})

test('a command that removed its attempt directory is lost for the next manager too', async () => {
  const harness = useExecutor()
  const task = harness.task(`${own}; rm -rf "$D"; echo $$ >ready; while [ ! -e finish ]; do sleep 0.02; done`)
  const manager = startUnder(harness, task)
  const runner = await manager.runner()
  await pidIn(harness, 'ready')
  await manager.kill()
  writeFileSync(join(harness.work, 'finish'), '')
  await waitUntil(() => !isAlive(runner.pid))
  const observer = recordObserver()
  harness.executor.adopt(task, runner, observer)
  expect(await observer.end()).toMatchObject({ kind: 'lost' })
})

test('a file in place of all attempt directories fails the attempt, not its manager', async () => {
  const harness = useExecutor()
  const observer = recordObserver()
  const task = harness.task('echo $$ >ready; while [ ! -e finish ]; do sleep 0.02; done')
  harness.executor.start(task, observer)
  await pidIn(harness, 'ready')
  const attempts = join(harness.home, 'attempts')
  renameSync(attempts, `${attempts}.away`)
  writeFileSync(attempts, '')
  writeFileSync(join(harness.work, 'finish'), '')
  expect(await observer.end()).toMatchObject({ kind: 'lost' })

  const adopted = recordObserver()
  harness.executor.adopt(task, await observer.runner(), adopted)
  expect(await adopted.end()).toMatchObject({ kind: 'lost' })
  const next = recordObserver()
  harness.executor.start(harness.task('true'), next)
  expect(await next.end()).toMatchObject({ kind: 'released', message: expect.stringContaining('attempts') })
  rmSync(attempts)
})

test('a runner that cannot make the output says so, and the attempt is released', async () => {
  const harness = useExecutor()
  const task = harness.task('echo ran >ran')
  mkdirSync(join(harness.directory(task), 'output'), { recursive: true })
  const observer = recordObserver()
  harness.executor.start(task, observer)
  expect(await observer.end()).toMatchObject({ kind: 'released', message: expect.stringContaining('output') })
  expect(readdirSync(harness.work)).toEqual([])
})

test('a runner that was stopped by a signal goes on when its command has ended, not before', async () => {
  const harness = useExecutor()
  const observer = recordObserver()
  harness.executor.start(harness.task('echo $$ >ready; while [ ! -e finish ]; do sleep 0.02; done; exit 5'), observer)
  await pidIn(harness, 'ready')
  const { pid } = await observer.runner()
  process.kill(pid, 'SIGSTOP')
  await waitUntil(() => state(pid) === 'T')
  const asked = performance.now()
  // Two looks at its life.
  await expect.poll(() => performance.now() - asked, { timeout: 4_000, interval: 100 }).toBeGreaterThan(2_200)
  expect(state(pid)).toBe('T')
  writeFileSync(join(harness.work, 'finish'), '')
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 5 })
})

test('a command that empties its own output: offsets go on, what was there counts as dropped, progress goes on', async () => {
  const harness = useExecutor()
  const observer = recordObserver()
  const task = harness.task(`
    head -c 5000 /dev/zero | tr '\\0' a; echo $$ >ready
    while [ ! -e go ]; do sleep 0.02; done; echo x >/dev/stderr; echo 'progress: 70%'
    while [ ! -e finish ]; do sleep 0.02; done; echo end`)
  const command = harness.executor.start(task, observer)
  await pidIn(harness, 'ready')
  const read = () => harness.executor.readOutput(task.fence, { offset: 0, maxBytes: 10_000 })
  await expect.poll(async () => (await read()).totalBytes).toBe(5_000)
  // Seen by the watch too, which tells the last line.
  await expect.poll(() => command.latestProgress() !== null).toBe(true)
  writeFileSync(join(harness.work, 'go'), '')
  await expect.poll(() => command.latestProgress()?.current).toBe(70)
  const slice = await read()
  expect(slice).toMatchObject({ offset: 5_000, totalBytes: 5_016, droppedBytes: 5_000 })
  expect(Buffer.from(slice.bytes).toString()).toBe('x\nprogress: 70%\n')
  writeFileSync(join(harness.work, 'finish'), '')
  const end = (await observer.end()) as { output: OutputFacts }
  expect(end.output).toMatchObject({ bytes: 5_020, droppedBytes: 5_000, tail: 'progress: 70%\nend\n' })
  expect(harness.log.filter((line) => /emptied its own output/.test(line.message))).toHaveLength(1)
})

test('a child in the session of the runner that calls itself a manager is ended by a cancel', async () => {
  const harness = useExecutor()
  const observer = recordObserver()
  const task = harness.task('NIGHTKILN_PROCESS=manager sleep 600 & echo $! >pid; echo $$ >ready; sleep 600')
  const command = harness.executor.start(task, observer)
  const pid = await pidIn(harness, 'pid')
  await pidIn(harness, 'ready')
  command.stop('cancel')
  expect(await observer.end()).toMatchObject({ kind: 'stopped', survivors: [] })
  expect(isAlive(pid)).toBe(false)
})

test('variables of the job reach the command whatever their names', async () => {
  const harness = useExecutor()
  const names = ['nightkiln_directory', 'nightkiln_status', 'nightkiln_input', 'nightkiln_stat', 'stat', 'REPLY']
  const environment = { PATH: '/usr/bin:/bin', ...Object.fromEntries(names.map((name) => [name, `mine ${name}`])) }
  const observer = recordObserver()
  harness.executor.start(harness.task({ argv: ['env'], environment }), observer)
  const end = (await observer.end()) as { output: OutputFacts }
  for (const name of names) expect(end.output.tail).toContain(`${name}=mine ${name}\n`)
})
