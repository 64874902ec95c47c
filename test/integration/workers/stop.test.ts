import { expect, test } from 'vitest'
import { stretched } from '../../support/machine-speed.ts'
import { isAlive } from '../../support/proc.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { pidIn, recordObserver, useExecutor } from './executor-harness.ts'

/** Starts a script, waits until it has written the file `ready`, and gives what is needed to stop it. */
async function running(script: string, cancelGraceMs = 300) {
  const harness = useExecutor()
  const observer = recordObserver()
  const task = harness.task(script, { cancelGraceMs })
  const command = harness.executor.start(task, observer)
  const pid = await pidIn(harness, 'ready')
  return { harness, observer, task, command, pid }
}

test('a command that ignores TERM is gone within 5 s at the default grace', async () => {
  const { command, observer, harness, task, pid } = await running(
    'trap "" TERM; echo $$ >ready; while :; do sleep 1; done',
    3_000,
  )
  const asked = performance.now()
  command.stop('cancel')
  expect(isAlive(pid)).toBe(true)
  const end = await observer.end()
  expect(performance.now() - asked).toBeGreaterThan(2_900)
  expect(performance.now() - asked).toBeLessThan(await stretched(5_000))
  expect(end).toMatchObject({ kind: 'stopped', reason: 'cancel', survivors: [] })
  expect([isAlive(pid), harness.marked(task)]).toEqual([false, []])
})

test('a command that ends on TERM is not waited for longer', async () => {
  const { command, observer, harness } = await running(
    'trap "echo bye; exit 0" TERM; echo $$ >ready; while :; do sleep 0.05; done',
    10_000,
  )
  const asked = performance.now()
  command.stop('cancel')
  command.stop('cancel')
  const end = await observer.end()
  expect(performance.now() - asked).toBeLessThan(await stretched(2_000))
  expect(end).toMatchObject({ kind: 'stopped', output: { tail: expect.stringContaining('bye\n') } })
  expect(observer.ends).toHaveLength(1)
  expect(harness.log.filter((line) => line.level === 'error')).toEqual([])
})

test.for([
  ['daemonised with setsid', 'setsid sleep 600 & echo $! >pid; echo $$ >ready; sleep 600'],
  [
    'daemonised with a double fork, its parent gone',
    '(setsid sh -c "sleep 600 & echo \\$! >pid" &); echo $$ >ready; sleep 600',
  ],
  ['without an environment, in the session', 'env -i /bin/sleep 600 & echo $! >pid; echo $$ >ready; sleep 600'],
  [
    'without an environment, a child in another session',
    'env -i /usr/bin/setsid -w /bin/sleep 600 & echo $! >pid; echo $$ >ready; sleep 600',
  ],
  ['stopped by a signal', 'sleep 600 & kill -STOP $!; echo $! >pid; echo $$ >ready; sleep 600'],
  [
    'ignoring TERM and forking on',
    'sh -c "trap \'\' TERM; while :; do sleep 60 & sleep 0.02; done" & echo $! >pid; echo $$ >ready; sleep 600',
  ],
] as const)('a process %s is gone after a cancel', async ([, script]) => {
  const { command, observer, harness, task } = await running(script)
  const pid = await pidIn(harness, 'pid')
  expect(isAlive(pid)).toBe(true)
  command.stop('cancel')
  expect(await observer.end()).toMatchObject({ kind: 'stopped', survivors: [] })
  expect([isAlive(pid), harness.marked(task)]).toEqual([false, []])
})

test('a manager that the command started survives, and so does what it runs', async () => {
  const nested =
    'NIGHTKILN_PROCESS=manager setsid sh -c "env -i /bin/sleep 600 & echo \\$! >child; echo \\$\\$ >manager; wait" &'
  const { command, observer, harness, pid } = await running(`${nested} echo $$ >ready; sleep 600`)
  const manager = await pidIn(harness, 'manager')
  const child = await pidIn(harness, 'child')
  command.stop('cancel')
  expect(await observer.end()).toMatchObject({ kind: 'stopped', survivors: [] })
  expect([isAlive(pid), isAlive(manager), isAlive(child)]).toEqual([false, true, true])
  process.kill(child, 'SIGKILL')
  await waitUntil(() => !isAlive(manager))
})

test('a stop before the process exists lets nothing run', async () => {
  const harness = useExecutor()
  const observer = recordObserver()
  const task = harness.task('echo ran >ran')
  harness.executor.start(task, observer).stop('release')
  expect(await observer.end()).toMatchObject({ kind: 'stopped', reason: 'release', survivors: [] })
  expect(observer.runners).toEqual([])
  expect(() => harness.read('ran')).toThrow()
})

test('a stop after the end changes nothing', async () => {
  const harness = useExecutor()
  const observer = recordObserver()
  const command = harness.executor.start(harness.task('exit 4'), observer)
  await observer.end()
  command.stop('cancel')
  expect(observer.ends).toMatchObject([{ kind: 'exited', exitCode: 4 }])
})

test('what a command leaves behind when it ends by itself is ended before the end is told, and named in the log', async () => {
  const harness = useExecutor()
  const observer = recordObserver()
  const task = harness.task('setsid sleep 600 & echo $! >pid; exit 0')
  harness.executor.start(task, observer)
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 0 })
  expect(isAlive(await pidIn(harness, 'pid'))).toBe(false)
  expect(harness.log).toMatchObject([{ level: 'warn', details: { leaked_processes: [await pidIn(harness, 'pid')] } }])
})

test('kill -9 of the runner: the command is ended, then told as lost', async () => {
  const { observer, harness, task, pid } = await running('echo before; echo $$ >ready; sleep 600')
  process.kill((await observer.runner()).pid, 'SIGKILL')
  expect(await observer.end()).toMatchObject({ kind: 'lost', countsAsCrash: true, output: { tail: 'before\n' } })
  expect([isAlive(pid), harness.marked(task)]).toEqual([false, []])
})

test('kill -9 of the whole process group leaves no half: lost, once', async () => {
  const { observer, harness, task } = await running('setsid sleep 600 & echo $$ >ready; sleep 600')
  process.kill(-(await observer.runner()).pid, 'SIGKILL')
  expect(await observer.end()).toMatchObject({ kind: 'lost' })
  expect(harness.marked(task)).toEqual([])
  expect(observer.ends).toHaveLength(1)
})

test('kill -9 of the command alone is its own exit code', async () => {
  const { observer, pid } = await running('echo $$ >ready; sleep 600')
  process.kill(pid, 'SIGKILL')
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 137 })
})
