import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createProgressReader } from '../../../src/workers/progress/progress-reader.ts'

function readAll(...pieces: (string | Uint8Array)[]) {
  const reader = createProgressReader()
  for (const piece of pieces) reader.push(typeof piece === 'string' ? Buffer.from(piece) : piece, false)
  reader.rest()
  return reader.latest()
}

const ffmpegHead = '  Duration: 00:01:40.00, start: 0.000000, bitrate: 128 kb/s\n'
const curlHead = '  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n'

describe('notations', () => {
  test.for<readonly [string, string, number, number | null, string | null]>([
    ['a fraction', 'progress: 0.4 half way\n', 0.4, 1, 'half way'],
    ['a fraction without a message', 'progress: 0.4\n', 0.4, 1, null],
    ['zero', 'progress: 0\n', 0, 1, null],
    ['one', 'Progress: 1 done\n', 1, 1, 'done'],
    ['a percent', 'progress: 40% copying\n', 40, 100, 'copying'],
    ['a number above one is a percent', 'progress: 40\n', 40, 100, null],
    ['counts', '::progress 40/100 message\n', 40, 100, 'message'],
    ['counts in the style of workflow commands', '::progress::3/4\n', 3, 4, null],
    ['counts beyond the end', '::progress 5/4\n', 4, 4, null],
    ['a JSON fraction', '{"progress":0.4}\n', 0.4, 1, null],
    ['a JSON percent', '{"progress":55,"message":"x"}\n', 55, 100, 'x'],
    ['JSON counts', '{"current":4,"total":10,"message":"four"}\n', 4, 10, 'four'],
    ['JSON without an end', '{"current":4}\n', 4, null, null],
    ['pytest', 'tests/test_a.py::test_b PASSED      [ 45%]\n', 45, 100, 'tests/test_a.py::test_b PASSED [ 45%]'],
    ['pytest at its end', 'tests/test_a.py ....   [100%]\n', 100, 100, 'tests/test_a.py .... [100%]'],
    ['tqdm', '\r 45%|####5     | 45/100 [00:01<00:02, 20it/s]', 45, 100, '45%|####5 | 45/100 [00:01<00:02, 20it/s]'],
    ['tqdm with a label and units', 'Load:  50%|█████     | 1.5k/3k [00:01<00:02]\r', 1500, 3000, 'Load'],
    ['ffmpeg, progress output', `${ffmpegHead}out_time=00:00:25.500000\n`, 25.5, 100, 'out_time=00:00:25.500000'],
    ['ffmpeg, microseconds named ms', `${ffmpegHead}out_time_ms=25000000\n`, 25, 100, 'out_time_ms=25000000'],
    [
      'ffmpeg, status line',
      `${ffmpegHead}frame=1 fps=2 time=00:00:50.00 bitrate=1\r`,
      50,
      100,
      'frame=1 fps=2 time=00:00:50.00 bitrate=1',
    ],
    ['ffmpeg without a duration', 'out_time=00:00:25.500000\n', 25.5, null, 'out_time=00:00:25.500000'],
    [
      'curl',
      `${curlHead} 42 10.0M   42 4300k    0     0  1000k      0  0:00:10  0:00:04  0:00:06 1000k\r`,
      42,
      100,
      '42 10.0M 42 4300k 0 0 1000k 0 0:00:10 0:00:04 0:00:06 1000k',
    ],
    ['curl, bar', '\r######                       12.5%\r', 12.5, 100, '###### 12.5%'],
    [
      'rsync',
      '\r      1,238,099  38%  146.38kB/s    0:00:08 (xfr#5, to-chk=169/396)\r',
      38,
      100,
      '1,238,099 38% 146.38kB/s 0:00:08 (xfr#5, to-chk=169/396)',
    ],
    ['CMake', '[ 30%] Building C object a.c.o\n', 30, 100, '[ 30%] Building C object a.c.o'],
    ['CMake at its end', '[100%] Built target a\n', 100, 100, '[100%] Built target a'],
    ['CMake in colours', '[ 7%] \u001b[32mBuilding CXX object b.o\u001b[0m\n', 7, 100, '[ 7%] Building CXX object b.o'],
    ['ninja', '[1/3] build\n', 1, 3, '[1/3] build'],
    ['ninja, padded', '[ 1/3] CXX a.o\r', 1, 3, '[ 1/3] CXX a.o'],
    ['a plain percent', '30% done\n', 30, 100, '30% done'],
    ['a plain percent with a fraction', '  45.5 % complete, 3 files\n', 45.5, 100, '45.5 % complete, 3 files'],
    ['a percent alone', '80%\n', 80, 100, '80%'],
    ['colours around it', '\u001b[32mprogress: 0.4\u001b[0m \u001b[1mgreen\u001b[0m\n', 0.4, 1, 'green'],
  ])('%s', ([, output, current, total, message]) => {
    expect(readAll(output)).toEqual({ current, total, message, stage: null })
  })

  test.for([
    'progress: lots\n',
    'progress: -1\n',
    'progress: 1/0\n',
    'progress: 400\n',
    '{"progress":"0.4"}\n',
    '{"progress":1e400}\n',
    '{"progress":0.4\n',
    '[1,2]\n',
    'battery at 40%\n',
    'test [145%]\n',
    '[130%] Building\n',
    '[4/3] build\n',
    '[1/0] build\n',
    '[1/3]\n',
    'see [1/3] of the book\n',
    '[22/11/2026] started\n',
    '[INFO] 30% done\n',
    'disk is 30% done\n',
    '30% of users agree\n',
    '30% off\n',
    '101% done\n',
    'step 4/8\n',
  ])('%j is an ordinary line', (output) => {
    expect(readAll(output)).toEqual({ current: 0, total: null, message: output.trim(), stage: null })
  })
})

describe('messages', () => {
  test('the last line that is not empty, without control characters, shortened', () => {
    expect(readAll('first\n\u0007bell\u001b[2K\u202e last \n\n  \n')?.message).toBe('bell last')
    const long = readAll(`${'x'.repeat(5_000)}\n`)?.message ?? ''
    expect([long.length, long.endsWith('…')]).toEqual([200, true])
  })

  test('a said message stays until another is said; the numbers stay when lines follow', () => {
    expect(readAll('progress: 0.4 said\nordinary\n')).toMatchObject({ current: 0.4, message: 'said' })
    expect(readAll('progress: 0.4 said\nprogress: 0.5\n')).toMatchObject({ current: 0.5, message: 'said' })
    expect(readAll('progress: 0.4\nordinary\n')).toMatchObject({ current: 0.4, message: 'ordinary' })
    expect(readAll('nothing known\n')).toEqual({ current: 0, total: null, message: 'nothing known', stage: null })
    expect(readAll('\n \r\n')).toBe(null)
  })
})

describe('order', () => {
  test('a guessed bar does not go back, until it was full', () => {
    expect(readAll(' 45%|#| 45/100\r 30%|#| 30/100\r')).toMatchObject({ current: 45 })
    expect(readAll('100%|#| 100/100\n  5%|#| 5/100\r')).toMatchObject({ current: 5 })
  })

  test('what the command says on purpose may go back, and silences guesses', () => {
    expect(readAll('progress: 0.8\nprogress: 0.2\n')).toMatchObject({ current: 0.2, total: 1 })
    expect(readAll('progress: 0.2\n 45%|#| 45/100\n')).toMatchObject({ current: 0.2, total: 1 })
  })
})

describe('streams', () => {
  test('a line in pieces is read as a whole, a character in pieces too', () => {
    expect(readAll('prog', 'ress: 0.', '45 m', 'ore\n')).toMatchObject({ current: 0.45, message: 'more' })
    const bytes = Buffer.from('progress: 0.5 größe\n')
    expect(readAll(bytes.subarray(0, 17), bytes.subarray(17))).toMatchObject({ message: 'größe' })
  })

  test('a line without an end counts only when the output rests', () => {
    const reader = createProgressReader()
    reader.push(Buffer.from('progress: 0.4'), false)
    expect(reader.latest()).toBe(null)
    reader.rest()
    expect(reader.latest()).toMatchObject({ current: 0.4 })
  })

  test('after a gap the half line is not read', () => {
    const reader = createProgressReader()
    reader.push(Buffer.from('progress: 0.1 one\nprogress: 0.'), false)
    reader.push(Buffer.from('9\nprogress: 0.3 three\n'), true)
    expect(reader.latest()).toMatchObject({ current: 0.3, message: 'three' })
  })

  test('a value within a flood of lines is found, and the flood is cheap', () => {
    const flood = Buffer.from('y\n'.repeat(32_000))
    const mixed = Buffer.from(`${'line\n'.repeat(6_000)}progress: 0.7 here\n${'line\n'.repeat(6_000)}`)
    const reader = createProgressReader()
    reader.push(mixed, false)
    expect(reader.latest()).toMatchObject({ current: 0.7, message: 'here' })
    const begun = performance.now()
    for (let times = 0; times < 100; times++) reader.push(flood, false)
    expect((performance.now() - begun) / 100).toBeLessThan(5)
  })

  test('never throws and stays bounded, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (pieces) => {
        const message = readAll(...pieces)?.message ?? ''
        expect(message.length).toBeLessThanOrEqual(200)
        expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
      }),
    )
  })

  test.for<readonly [string, string]>([
    ['one line of 1 MB', 'x'.repeat(1_000_000)],
    ['1 MB of spaces and percents', '% '.repeat(500_000)],
    ['1 MB of digits', `progress: ${'9'.repeat(1_000_000)}`],
    ['1 MB of hashes', `#${' #'.repeat(500_000)}`],
    ['1 MB of bars', '5%|'.repeat(333_333)],
    ['1 MB of escapes', '\u001b['.repeat(500_000)],
    ['lone surrogates in JSON', '{"progress":0.4,"message":"\\ud800"}'],
  ])('%s is read in no time', ([, text]) => {
    const begun = performance.now()
    const latest = readAll(`${text}\n`)
    expect(performance.now() - begun).toBeLessThan(300)
    expect(latest?.message ?? '').not.toMatch(/[\ud800-\udfff]/)
  })
})
