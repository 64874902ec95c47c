import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { OutputFacts } from '../../../src/domain/ports/attempt.ts'
import { pidIn, recordObserver, useExecutor } from './executor-harness.ts'
import { startUnder } from './start-under.ts'

async function outputOf(script: string, harness = useExecutor()) {
  const observer = recordObserver()
  const task = harness.task(script)
  harness.executor.start(task, observer)
  const end = await observer.end()
  expect(end).toMatchObject({ kind: 'exited' })
  expect(harness.log.filter((line) => line.level === 'error')).toEqual([])
  return (end as { output: OutputFacts }).output
}

test('files of a task are found by their variables, for the owner only', async () => {
  const harness = useExecutor()
  const files = [
    { variable: 'NIGHTKILN_UNIT_FILE', name: 'unit.json', text: '{"name":"ü"}' },
    { variable: 'NIGHTKILN_RESULTS', name: 'results.jsonl', text: '' },
  ]
  const task = harness.task('cat "$NIGHTKILN_UNIT_FILE"; wc -c <"$NIGHTKILN_RESULTS"; echo "$NIGHTKILN_RESULTS"', {
    files,
  })
  const observer = recordObserver()
  harness.executor.start(task, observer)
  const directory = harness.directory(task)
  expect(await observer.end()).toMatchObject({
    exitCode: 0,
    output: { tail: `{"name":"ü"}0\n${join(directory, 'results.jsonl')}\n` },
  })
  for (const { name } of files) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
})

test.for(['../unit.json', 'a/b', 'output', 'exit', '.', ''])(
  'a file named "%s" is refused, and nothing runs',
  async (name) => {
    const harness = useExecutor()
    const observer = recordObserver()
    const files = [{ variable: 'A', name, text: 'x' }]
    harness.executor.start(harness.task('echo ran >ran', { files }), observer)
    expect(await observer.end()).toMatchObject({ kind: 'not_started', error: { code: 'internal' } })
    expect(readdirSync(harness.work)).toEqual([])
  },
)

test('what a command leaves as JSON is its result', async () => {
  expect(await outputOf(`printf '{"pages":[1,2,"ü"]}\n' >"$NIGHTKILN_RESULT"`)).toMatchObject({
    result: { pages: [1, 2, 'ü'] },
  })
  expect(await outputOf('printf null >"$NIGHTKILN_RESULT"')).toMatchObject({ result: null })
  const nothing = await outputOf('true')
  expect(['result' in nothing, 'resultProblem' in nothing]).toEqual([false, false])
})

test('the result of a command that ended while no manager lived is read by the next one', async () => {
  const harness = useExecutor()
  const task = harness.task('echo $$ >ready; while [ ! -e finish ]; do sleep 0.02; done; echo [1] >"$NIGHTKILN_RESULT"')
  const manager = startUnder(harness, task)
  const runner = await manager.runner()
  await pidIn(harness, 'ready')
  await manager.kill()
  writeFileSync(join(harness.work, 'finish'), '')
  const observer = recordObserver()
  harness.executor.adopt(task, runner, observer)
  expect(await observer.end()).toMatchObject({ kind: 'exited', output: { result: [1] } })
})

test.for([
  ['too large', 'head -c 262145 /dev/zero | tr "\\0" 1 >"$NIGHTKILN_RESULT"', /larger than 256 KiB/],
  ['not JSON', 'printf "{\\033[2J" >"$NIGHTKILN_RESULT"', /not JSON \([ -~]+\)$/],
  ['empty', ': >"$NIGHTKILN_RESULT"', /empty/],
  ['a link', 'echo 1 >other; ln -s "$PWD/other" "$NIGHTKILN_RESULT"', /not a regular file/],
  ['a directory', 'mkdir "$NIGHTKILN_RESULT"', /not a regular file/],
  ['a pipe', 'mkfifo "$NIGHTKILN_RESULT"', /not a regular file/],
  ['not readable', 'echo 1 >"$NIGHTKILN_RESULT"; chmod 0 "$NIGHTKILN_RESULT"', /cannot be read \(EACCES\)|^$/],
  [
    'nested too deeply',
    'head -c 100000 /dev/zero | tr "\\0" "[" >a; head -c 100000 /dev/zero | tr "\\0" "]" | cat a - >"$NIGHTKILN_RESULT"',
    /nested deeper/,
  ],
] as const)('a result that is %s is not taken, and the output says why', async ([, script, problem]) => {
  const output = await outputOf(script)
  // The superuser can read everything.
  if (process.getuid?.() === 0 && script.includes('chmod')) return expect(output.result).toBe(1)
  expect(output.result).toBeUndefined()
  expect(output.resultProblem).toMatch(problem)
})

test('a result of exactly 256 KiB is taken', async () => {
  const { result } = await outputOf(
    `{ printf '"'; head -c 262142 /dev/zero | tr '\\0' x; printf '"'; } >"$NIGHTKILN_RESULT"`,
  )
  expect(result).toHaveLength(262_142)
})

test('a key that would set a prototype is left out, however it is spelt', async () => {
  const { result } = await outputOf(
    `printf '%s' '{"a":1,"__proto__":{"polluted":1},"b":{"\\u005f_proto__":{"polluted":1}}}' >"$NIGHTKILN_RESULT"`,
  )
  const copy = Object.assign({}, result as object, (result as { b: object }).b)
  expect(copy).not.toHaveProperty('polluted')
  expect(result).toEqual({ a: 1, b: {} })
  expect(JSON.stringify(result)).toBe('{"a":1,"b":{}}')
})
