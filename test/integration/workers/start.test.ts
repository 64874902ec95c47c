import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { waitUntil } from '../../support/wait-until.ts'
import { recordObserver, useExecutor } from './executor-harness.ts'
import { startUnder } from './start-under.ts'

async function runToEnd(spec: Parameters<ReturnType<typeof useExecutor>['task']>[0], harness = useExecutor()) {
  const observer = recordObserver()
  const task = harness.task(spec)
  harness.executor.start(task, observer)
  const end = await observer.end()
  expect(observer.ends).toHaveLength(1)
  expect(harness.marked(task)).toEqual([])
  return { harness, observer, task, end }
}

test('runs a command, tells its runner, its exit code and its output', async () => {
  const { end, observer, harness, task } = await runToEnd('echo out; echo err >&2; sleep 0.2')
  expect(end).toMatchObject({ kind: 'exited', exitCode: 0, succeeded: true })
  expect(end).toMatchObject({ output: { bytes: 8, droppedBytes: 0, tail: 'out\nerr\n' } })
  expect(observer.runners).toHaveLength(1)
  expect(observer.runners[0]?.startTime).toMatch(/^\d+$/)
  const slice = await harness.executor.readOutput(task.fence, { offset: 0, maxBytes: 100 })
  expect(Buffer.from(slice.bytes).toString()).toBe('out\nerr\n')
})

test('an exit code counts as success only when the job says so', async () => {
  expect((await runToEnd('exit 3')).end).toMatchObject({ exitCode: 3, succeeded: false })
  const accepted = { argv: ['/bin/sh', '-c', 'exit 3'], successExitCodes: [0, 3] }
  expect((await runToEnd(accepted)).end).toMatchObject({ exitCode: 3, succeeded: true })
})

test('a command killed by a signal has the exit code that a shell gives it', async () => {
  const { end } = await runToEnd('kill -9 $$')
  expect(end).toMatchObject({ kind: 'exited', exitCode: 137, succeeded: false })
  // The shell's own remark about it goes to the runner's log.
  expect(end).toMatchObject({ output: { bytes: 0 } })
})

test('stdin is the given text, or empty', async () => {
  expect((await runToEnd({ argv: ['cat'], stdin: 'a\nb' })).end).toMatchObject({ output: { tail: 'a\nb' } })
  expect((await runToEnd({ argv: ['cat'] })).end).toMatchObject({ exitCode: 0, output: { bytes: 0 } })
})

test('the command gets its own environment with the marks, and nothing of the manager', async () => {
  process.env['OF_THE_MANAGER'] = 'secret'
  const environment = {
    PATH: '/usr/bin:/bin',
    directory: 'kept',
    NIGHTKILN_PROCESS: 'manager',
    NIGHTKILN_ATTEMPT_UNIT: 'other',
  }
  const { end, task, harness } = await runToEnd({ argv: ['env'], environment })
  const lines = end.kind === 'exited' ? end.output.tail.trim().split('\n').sort() : []
  expect(lines.filter((line) => !/^(_|PWD|SHLVL|OLDPWD)=/.test(line))).toEqual([
    'NIGHTKILN_ATTEMPT=1',
    `NIGHTKILN_ATTEMPT_UNIT=${task.fence.unitId}`,
    `NIGHTKILN_CLI=${join(harness.home, 'nightkiln')}`,
    `NIGHTKILN_FENCE=1.${task.fence.nonce}`,
    `NIGHTKILN_HOME=${harness.home}`,
    'NIGHTKILN_INSTANCE=instance-of-tests',
    'NIGHTKILN_JOB_ID=job-1',
    `NIGHTKILN_RESULT=${join(harness.directory(task), 'result.json')}`,
    'PATH=/usr/bin:/bin',
    'directory=kept',
  ])
})

test('the command gets default signal actions, its umask, its cwd and no descriptor of the manager', async () => {
  const harness = useExecutor({ commandUmask: 0o022 })
  const script =
    'grep -E "SigIgn|SigBlk" /proc/self/status; umask; pwd; ls -l /proc/self/fd | grep -c -E "socket|runner.log"'
  const { end } = await runToEnd(script, harness)
  expect(end).toMatchObject({
    output: { tail: `SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0022\n${harness.work}\n0\n` },
  })
})

test('the runner has a session of its own', async () => {
  const { end, observer } = await runToEnd('cut -d" " -f5,6 /proc/self/stat')
  const pid = observer.runners[0]?.pid
  expect(end).toMatchObject({ output: { tail: `${pid} ${pid}\n` } })
})

test('arguments arrive unchanged, whatever they contain', async () => {
  const odd = ['-n', '', 'a b', '"quoted"', "it's", '$HOME', '`id`', 'line\nbreak', '*', '\\', 'ünïcode 🧱', '--']
  const { end } = await runToEnd({
    argv: [process.execPath, '-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', ...odd],
  })
  expect(end.kind === 'exited' ? JSON.parse(end.output.tail) : end).toEqual(odd)
})

test('a program named like a builtin of the shell is looked for on PATH, relative to cwd when it has a slash', async () => {
  const harness = useExecutor()
  mkdirSync(join(harness.work, 'bin'))
  writeFileSync(join(harness.work, 'bin', 'exit'), '#!/bin/sh\necho mine\n', { mode: 0o755 })
  const environment = { PATH: `bin:/usr/bin:/bin` }
  expect((await runToEnd({ argv: ['exit', '7'], environment }, harness)).end).toMatchObject({
    exitCode: 0,
    output: { tail: 'mine\n' },
  })
  expect((await runToEnd({ argv: ['./bin/exit'] }, harness)).end).toMatchObject({ output: { tail: 'mine\n' } })
})

test('a PATH without any system folder does not hinder the runner', async () => {
  const { end } = await runToEnd({ argv: ['/bin/echo', 'hi'], environment: { PATH: '/nonexistent' } })
  expect(end).toMatchObject({ kind: 'exited', exitCode: 0, output: { tail: 'hi\n' } })
})

test.for([
  ['a missing program', { argv: ['no-such-program-here'] }, /"no-such-program-here" was not found in PATH/],
  ['a missing path', { argv: ['./nothing'] }, /"\.\/nothing" was not found/],
  ['a directory as program', { argv: ['/tmp'] }, /"\/tmp" is a directory/],
  ['a file that is not executable', { argv: ['/etc/passwd'] }, /"\/etc\/passwd" is not executable/],
  ['an empty program', { argv: [''] }, /program is empty/],
  ['a missing cwd', { cwd: '/no/such/place' }, /cwd "\/no\/such\/place" does not exist/],
  ['a file as cwd', { cwd: '/etc/passwd' }, /cwd "\/etc\/passwd" is not a directory/],
  ['a NUL in an argument', { argv: ['/bin/echo', 'a\0b'] }, /argv\[1\] contains a NUL/],
  ['a NUL in the environment', { environment: { A: '\0' } }, /env A contains a NUL/],
  [
    '3 MB of arguments',
    { argv: ['/bin/echo', ...Array<string>(30).fill('x'.repeat(100_000))] },
    /too long .*3000\d\d\d bytes/,
  ],
  ['one argument of 1 MB', { argv: ['/bin/echo', 'x'.repeat(1_000_000)] }, /too long/],
] as const)('%s is told, and nothing ran', async ([, spec, message]) => {
  const { end, observer } = await runToEnd(spec as Parameters<ReturnType<typeof useExecutor>['task']>[0])
  expect(end).toMatchObject({ kind: 'not_started', error: { code: 'command_not_started' } })
  expect(end.kind === 'not_started' ? end.error.message : '').toMatch(message)
  expect(observer.runners).toEqual([])
})

test('everything in the state directory is for its owner only', async () => {
  const { harness, task } = await runToEnd({ argv: ['cat'], stdin: 'secret' })
  const directory = harness.directory(task)
  const open = readdirSync(directory).filter((name) => (statSync(join(directory, name)).mode & 0o077) !== 0)
  expect([open, statSync(directory).mode & 0o077]).toEqual([[], 0])
})

test('when the command has ended the heal script runs, without the marks and outside the job', async () => {
  const harness = useExecutor()
  const seen = join(harness.work, 'healed')
  writeFileSync(join(harness.home, 'heal.sh'), `env >${seen}.tmp; pwd >>${seen}.tmp; mv ${seen}.tmp ${seen}\n`)
  await runToEnd('echo done', harness)
  const lines = (await waitUntil(() => harness.read('healed'))).split('\n')
  expect(lines).toContain('NIGHTKILN_PROCESS=launcher')
  expect(lines).toContain(`NIGHTKILN_HOME=${harness.home}`)
  expect(lines.filter((line) => /^NIGHTKILN_(UNIT|FENCE|JOB_ID|ATTEMPT|INSTANCE)=/.test(line))).toEqual([])
  expect(lines.at(-2)).toBe('/')
})

test('a shell that cannot be run is the fault of neither the command nor the manager', async () => {
  const harness = useExecutor({ shell: '/no/such/shell' })
  const { end } = await runToEnd('true', harness)
  expect(end.kind).toBe('not_started')
})

test('without a free descriptor the attempt is released: nothing ran, the manager lives', async () => {
  const harness = useExecutor()
  const task = harness.task('echo ran >ran')
  const manager = startUnder(harness, task, { exhausted: true })
  expect(await manager.end(10_000)).toMatchObject({ kind: 'released', message: expect.stringContaining('EMFILE') })
  expect(manager.process.exitCode).toBe(null)
  expect(() => harness.read('ran')).toThrow()
})

test('forty commands at once each end once, with their own code and output', async () => {
  const harness = useExecutor()
  const all = Array.from({ length: 40 }, (_, at) => {
    const observer = recordObserver()
    const task = harness.task(`echo "command ${at}"; exit ${at}`)
    harness.executor.start(task, observer)
    return observer
  })
  for (const [at, observer] of all.entries()) {
    expect(await observer.end()).toMatchObject({ exitCode: at, output: { tail: `command ${at}\n` } })
    expect(observer.ends).toHaveLength(1)
  }
})

test('an observer that throws does not hinder the end', async () => {
  const harness = useExecutor()
  const observer = recordObserver()
  const fail = (): never => {
    throw new Error('observer')
  }
  harness.executor.start(harness.task('echo hello; exit 2'), { ...observer, started: fail, progressed: fail })
  expect(await observer.end()).toMatchObject({ kind: 'exited', exitCode: 2 })
})
