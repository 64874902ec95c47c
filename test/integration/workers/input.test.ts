import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { CommandTask } from '../../../src/domain/ports/executor.ts'
import { stretched } from '../../support/machine-speed.ts'
import { isAlive, readStat } from '../../support/proc.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { type Harness, pidIn, recordObserver, useExecutor } from './executor-harness.ts'
import { startUnder } from './start-under.ts'

function interactive(
  harness: Harness,
  script: string,
  more: { stdin?: string; cancelGraceMs?: number } = {},
): CommandTask {
  const { stdin = null, ...rest } = more
  return harness.task({ argv: ['/bin/sh', '-c', script], interactive: true, stdin }, rest)
}

function running(script: string, more: { stdin?: string; cancelGraceMs?: number } = {}) {
  const harness = useExecutor()
  const observer = recordObserver()
  const task = interactive(harness, script, more)
  const command = harness.executor.start(task, observer)
  return { harness, observer, task, command }
}

async function output(harness: Harness, task: CommandTask): Promise<string> {
  const slice = await harness.executor.readOutput(task.fence, { offset: 0, maxBytes: 100_000 })
  return Buffer.from(slice.bytes).toString()
}

const own = 'D="$NIGHTKILN_HOME/attempts/$NIGHTKILN_ATTEMPT_UNIT.$NIGHTKILN_FENCE"'

test('lines reach a command while it runs; at the end of its input it ends, and nothing is left', async () => {
  const { harness, observer, task, command } = running('echo ready; cat; echo over')
  expect(await command.send('één\n', false)).toBe(6)
  await waitUntil(async () => (await output(harness, task)).includes('één\n'))
  expect(await command.send('two\n', false)).toBe(4)
  await waitUntil(async () => (await output(harness, task)).includes('two\n'))
  expect(observer.ends).toEqual([])
  expect(await command.send('three\n', true)).toBe(6)
  expect(await observer.end()).toMatchObject({ exitCode: 0, output: { tail: 'ready\néén\ntwo\nthree\nover\n' } })
  expect(harness.marked(task)).toEqual([])
  expect(harness.log.filter((line) => line.level !== 'debug')).toEqual([])
})

test('what stdin holds comes first, also when it is larger than a pipe', async () => {
  const stdin = `${'x'.repeat(199_999)}\n`
  const { observer, command } = running('sleep 0.3; wc -c', { stdin })
  expect(await command.send('last\n', true)).toBe(5)
  expect(await observer.end()).toMatchObject({ exitCode: 0, output: { tail: '200005\n' } })
})

test('the end alone can be sent, twice', async () => {
  const { observer, command } = running(
    'while read -r line; do :; done; while [ ! -e finish ]; do sleep 0.02; done; wc -c',
    {
      stdin: 'a\n',
    },
  )
  expect(await command.send('', true)).toBe(0)
  expect(await command.send('', true)).toBe(0)
  await expect(command.send('b\n', false)).rejects.toMatchObject({
    code: 'invalid_transition',
    message: expect.stringContaining('ended before'),
  })
  command.stop('cancel')
  expect(await observer.end()).toMatchObject({ kind: 'stopped' })
})

test('a command that ends while its input is open ends, and leaves nothing', async () => {
  const { harness, observer, task, command } = running('read -r line; echo "got $line"; exit 4')
  await command.send('hello\n', false)
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 4, output: { tail: 'got hello\n' } })
  expect(harness.marked(task)).toEqual([])
  expect(harness.log.filter((line) => line.level !== 'debug')).toEqual([])
  await expect(command.send('more\n', false)).rejects.toMatchObject({ code: 'invalid_transition' })
})

test('a command that never reads what stdin holds ends all the same', async () => {
  const { harness, observer, task } = running('exit 3', { stdin: 'x'.repeat(300_000) })
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 3 })
  expect(harness.marked(task)).toEqual([])
})

test('a full pipe is told with what was taken; the event loop goes on meanwhile', async () => {
  const { observer, command } = running('while [ ! -e go ]; do sleep 0.02; done; wc -c')
  let turns = 0
  const timer = setInterval(() => turns++, 10)
  const text = 'x'.repeat(100_000)
  const error = (await command.send(text, false).catch((thrown: unknown) => thrown)) as {
    details: { bytes_taken: number }
  }
  clearInterval(timer)
  expect(error).toMatchObject({ code: 'limit_exceeded', message: expect.stringMatching(/65536 of 100000 bytes/) })
  expect(turns).toBeGreaterThan(50)
  expect(error.details.bytes_taken).toBe(65_536)
  command.stop('cancel')
  expect(await observer.end()).toMatchObject({ kind: 'stopped', survivors: [] })
})

test('texts sent at once arrive one after the other', async () => {
  const { observer, command } = running('sort | uniq -c | sed "s/^ *//" | cut -c1-8')
  const texts = ['a', 'b', 'c'].map((letter) => `${letter.repeat(60_000)}\n`)
  await Promise.all(texts.map((text, at) => command.send(text, at === 2)))
  expect(await observer.end()).toMatchObject({ exitCode: 0, output: { tail: '1 aaaaaa\n1 bbbbbb\n1 cccccc\n' } })
})

test('a command that was not started with an open stdin says so', async () => {
  const harness = useExecutor()
  const command = harness.executor.start(harness.task('sleep 600'), recordObserver())
  await expect(command.send('x', false)).rejects.toMatchObject({
    code: 'invalid_transition',
    remedy: expect.stringContaining('interactive: true'),
  })
  command.stop('cancel')
})

test('input goes on under the next manager, and its end too', async () => {
  const harness = useExecutor()
  const task = interactive(harness, 'echo $$ >ready; cat; echo over')
  const manager = startUnder(harness, task)
  const runner = await manager.runner()
  await pidIn(harness, 'ready')
  await manager.kill()
  const left = harness.another()
  const command = left.adopt(task, runner, recordObserver())
  await command.send('one\n', false)
  await waitUntil(async () => (await output(harness, task)).includes('one\n'))
  left.detach()
  const observer = recordObserver()
  await harness.executor.adopt(task, runner, observer).send('two\n', true)
  expect(await observer.end()).toMatchObject({ exitCode: 0, output: { tail: 'one\ntwo\nover\n' } })
  expect(harness.marked(task)).toEqual([])
})

test('an end that its manager only noted is done by the next one', async () => {
  const harness = useExecutor()
  const task = interactive(harness, 'echo $$ >ready; cat; echo over')
  const manager = startUnder(harness, task)
  const runner = await manager.runner()
  await pidIn(harness, 'ready')
  await manager.kill()
  writeFileSync(join(harness.directory(task), 'input.ended'), '')
  const observer = recordObserver()
  harness.executor.adopt(task, runner, observer)
  expect(await observer.end()).toMatchObject({ exitCode: 0, output: { tail: 'over\n' } })
})

test('an interactive command is cancelled within its grace, with what holds its input', async () => {
  const { harness, observer, task, command } = running(
    'trap "echo bye; exit 0" TERM; echo $$ >ready; while :; do sleep 0.05; done',
  )
  await pidIn(harness, 'ready')
  expect(harness.marked(task).length).toBeGreaterThan(2)
  const asked = performance.now()
  command.stop('cancel')
  expect(await observer.end()).toMatchObject({
    kind: 'stopped',
    survivors: [],
    output: { tail: expect.stringContaining('bye\n') },
  })
  expect(performance.now() - asked).toBeLessThan(await stretched(2_000))
  expect(harness.marked(task)).toEqual([])
})

test('a TERM to the whole process group does not end the input', async () => {
  const { observer, command } = running('trap : TERM; kill -TERM 0; read -r line; echo "got $line"')
  await command.send('hello\n', false)
  expect(await observer.end()).toMatchObject({ exitCode: 0, output: { tail: 'got hello\n' } })
})

test('kill -9 of the runner of an interactive command leaves nothing', async () => {
  const { harness, observer, task } = running('echo $$ >ready; sleep 600')
  await pidIn(harness, 'ready')
  process.kill((await observer.runner()).pid, 'SIGKILL')
  expect(await observer.end()).toMatchObject({ kind: 'lost' })
  expect(harness.marked(task)).toEqual([])
})

test('a stopped runner whose interactive command has ended goes on', async () => {
  const { harness, observer, command } = running('echo $$ >ready; read -r line; exit 5')
  const pid = await pidIn(harness, 'ready')
  const runner = (await observer.runner()).pid
  process.kill(runner, 'SIGSTOP')
  await waitUntil(() => readStat(runner)?.state === 'T')
  await command.send('x\n', false)
  await waitUntil(() => !isAlive(pid))
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 5 })
})

test('a frozen command reads what was sent meanwhile when it goes on', async () => {
  const { harness, observer, task, command } = running('echo ready; cat')
  await waitUntil(async () => (await output(harness, task)) === 'ready\n')
  await command.freeze()
  expect(await command.send('meanwhile\n', true)).toBe(10)
  expect(await output(harness, task)).toBe('ready\n')
  await command.thaw()
  expect(await observer.end()).toMatchObject({ exitCode: 0, output: { tail: 'ready\nmeanwhile\n' } })
})

test.for([
  ['removed', 'rm "$D/input"'],
  ['a file', 'rm "$D/input"; : >"$D/input"'],
  ['a link to a file', 'rm "$D/input"; ln -s "$PWD/ready" "$D/input"'],
  ['a directory', 'rm "$D/input"; mkdir "$D/input"'],
  ['a pipe that nobody reads', 'rm "$D/input"; mkfifo "$D/input"'],
] as const)('a pipe that the command replaced (%s) takes nothing', async ([, script]) => {
  const { harness, observer, command } = running(
    `${own}; while [ ! -e "$D/input.ready" ]; do sleep 0.01; done; ${script}; echo $$ >ready; sleep 600`,
  )
  await pidIn(harness, 'ready')
  await expect(command.send('text\n', false)).rejects.toMatchObject({ code: 'invalid_transition' })
  expect(harness.read('ready')).not.toContain('text')
  command.stop('cancel')
  expect(await observer.end()).toMatchObject({ kind: 'stopped', survivors: [] })
})

test('where no pipe can be made the command is not started, and the job is told why', async () => {
  const harness = useExecutor()
  const task = interactive(harness, 'echo ran >ran')
  mkdirSync(harness.directory(task), { recursive: true })
  symlinkSync('/nonexistent/elsewhere', join(harness.directory(task), 'input'))
  const observer = recordObserver()
  harness.executor.start(task, observer)
  expect(await observer.end()).toMatchObject({
    kind: 'not_started',
    error: { code: 'command_not_started', message: expect.stringContaining('pipe') },
  })
  expect(existsSync(join(harness.work, 'ran'))).toBe(false)
  rmSync(harness.directory(task), { recursive: true })
})
