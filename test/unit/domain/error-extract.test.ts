import { describe, expect, test } from 'vitest'
import { causeOffset, errorExtract } from '../../../src/domain/error-extract.ts'

const before = 'loading\n0 errors, 0 failed\nstep 1 of 3\n'

describe('an extract begins at the line that looks like the cause', () => {
  test.each([
    'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: bad',
    'main.c:12:5: error: expected ;',
    'error[E0308]: mismatched types',
    'src/a.ts(3,1): error TS2304: Cannot find name',
    'Error: Cannot find module',
    'java.lang.IllegalStateException: no',
    'Exception in thread "main" java.lang.Error',
    'Error: no room left',
    'error: none of the files is there',
    'panic: runtime error: index out of range',
    "thread 'main' panicked at src/main.rs:2",
    'fatal: not a git repository',
    'npm ERR! code ELIFECYCLE',
    'npm error code ENOENT',
    'FAILED tests/test_a.py::test_b - assert 1 == 2',
    '--- FAIL: TestX (0.00s)',
    'E   assert 1 == 2',
    'sh: 1: ffmpg: not found',
    'bash: ffmpg: command not found',
    'cat: /x: No such file or directory',
    'Segmentation fault (core dumped)',
    'Killed',
    'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20 MiB',
    'make: *** [Makefile:3: all] Error 1',
    '\u001b[31merror\u001b[0m: could not compile',
    '2031-05-04 22:00:00 ERROR worker: gave up',
    'Uncaught TypeError: x is not a function',
    'clip.mov: Invalid data found when processing input',
  ])('%s', (cause) => {
    expect(errorExtract(`${before}${cause}\nmore\n`)).toBe(`${cause}\nmore\n`)
  })

  test.each([
    'all good\n0 errors\nno errors found\nerrors: 0\nfailed=0\nerror: none\ndone\n',
    'terror and mirrors\nerror_rate 0.1\nfailover ready\n',
    '',
    '\n\n',
  ])('but not at %j', (text) => {
    expect(causeOffset(text)).toBe(-1)
    expect(errorExtract(text)).toBe(text)
  })
})

describe('a bound', () => {
  test('leaves out the middle of what follows the cause', () => {
    const text = `${before}Traceback (most recent call last):\n${'  frame\n'.repeat(200)}ValueError: last line`
    const extract = errorExtract(text, 300)
    expect(extract.length).toBeLessThanOrEqual(300)
    expect(extract).toMatch(/^Traceback .*characters or more left out.*ValueError: last line$/s)
  })

  test('keeps the end of an output without a cause', () => {
    const extract = errorExtract(`${'line\n'.repeat(500)}the end`, 100)
    expect(extract).toMatch(/^… .*the end$/s)
    expect(extract.length).toBeLessThanOrEqual(100)
  })

  test('cuts no character in two', () => {
    expect(errorExtract(`Error: x\n${'🜁'.repeat(500)}`, 101)).not.toMatch(/\p{Surrogate}/u)
    expect(errorExtract('🜁'.repeat(500), 100)).not.toMatch(/\p{Surrogate}/u)
  })
})

test('very long lines cost little', () => {
  const start = performance.now()
  expect(causeOffset(`${'AError'.repeat(50_000)}\n${'no '.repeat(100_000)}`)).toBe(-1)
  expect(performance.now() - start).toBeLessThan(500)
})
