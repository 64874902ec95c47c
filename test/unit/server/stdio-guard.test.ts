import { PassThrough, Writable } from 'node:stream'
import { describe, expect, test, vi } from 'vitest'
import { type GuardOptions, guardInput } from '../../../src/server/stdio-guard.ts'

/** An output whose reader can be stopped. */
function slowOutput() {
  const written: string[] = []
  let release: (() => void) | null = null
  const state = { blocked: false }
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString('utf8'))
      if (state.blocked) release = done
      else done()
    },
  })
  return {
    stream,
    written,
    block: () => {
      state.blocked = true
    },
    unblock: () => {
      state.blocked = false
      release?.()
    },
  }
}

function guarded(options: Partial<Pick<GuardOptions, 'isFull' | 'check'>> = {}) {
  const stdin = new PassThrough()
  const output = slowOutput()
  const onInputEnd = vi.fn<() => void>()
  const onHandedOn = vi.fn<() => void>()
  const input = guardInput({
    stdin,
    output: output.stream,
    maxBytes: 50,
    check: options.check ?? (() => ({ kind: 'request' })),
    isFull: options.isFull ?? (() => false),
    onInputEnd,
    onHandedOn,
  })
  const lines: string[] = []
  input.stream.on('data', (chunk: Buffer) => lines.push(...chunk.toString('utf8').split('\n').filter(Boolean)))
  return { stdin, output, input, lines, onInputEnd, onHandedOn }
}

describe('the stdin guard', () => {
  test('hands lines on in order and leaves out blank ones', async () => {
    const { stdin, lines } = guarded()
    stdin.write('a\n\n\r\nb')
    stdin.write('c\nd\n')
    await expect.poll(() => lines).toEqual(['a', 'bc', 'd'])
  })

  test('answers a line over the limit and goes on', async () => {
    const { stdin, output, lines } = guarded()
    stdin.write(`{"id":4,"method":"x","params":"${'y'.repeat(60)}"}\n{"id":5}\n`)
    await expect.poll(() => lines).toEqual(['{"id":5}'])
    expect(JSON.parse(output.written.join(''))).toMatchObject({ jsonrpc: '2.0', id: 4, error: { code: -32600 } })
  })

  test('hands nothing on while the reader of the answers is slow', async () => {
    const { stdin, output, lines } = guarded()
    output.block()
    output.stream.write('an answer that is not read')
    stdin.write('a\nb\n')
    await new Promise((resolve) => setImmediate(resolve))
    expect(lines).toEqual([])
    output.unblock()
    await expect.poll(() => lines).toEqual(['a', 'b'])
  })

  test('hands nothing on while too many requests wait, until told to proceed', async () => {
    let full = true
    const { stdin, input, lines } = guarded({ isFull: () => full })
    stdin.write('a\nb\n')
    await new Promise((resolve) => setImmediate(resolve))
    expect(lines).toEqual([])
    full = false
    input.proceed()
    await expect.poll(() => lines).toEqual(['a', 'b'])
  })

  test('hands answers of the client on although too many requests wait: some may be waiting for them', async () => {
    const check: GuardOptions['check'] = (bytes) => ({
      kind: bytes.toString('utf8') === 'yes\n' ? 'answer' : 'request',
    })
    const { stdin, lines } = guarded({ isFull: () => true, check })
    stdin.write('a\nyes\nb\n')
    await expect.poll(() => lines).toEqual(['yes'])
  })

  test('takes a mark of byte order off, and answers what is no message', async () => {
    const check: GuardOptions['check'] = (bytes) =>
      bytes.toString('utf8') === 'bad\n' ? { kind: 'refused', error: 'no\n' } : { kind: 'request' }
    const { stdin, output, lines } = guarded({ check })
    stdin.write('\ufeffa\nbad\nb\n')
    await expect.poll(() => lines).toEqual(['a', 'b'])
    expect(output.written).toEqual(['no\n'])
  })

  test('stops reading ahead when many short lines wait, which take more than their bytes', async () => {
    const { stdin, output } = guarded()
    output.block()
    output.stream.write('an answer that is not read')
    stdin.write('x\n'.repeat(100_000))
    await expect.poll(() => stdin.isPaused()).toBe(true)
    output.unblock()
    await expect.poll(() => stdin.isPaused()).toBe(false)
  })

  test('stops reading ahead when much waits', async () => {
    const { stdin, output } = guarded()
    output.block()
    output.stream.write('an answer that is not read')
    const line = `${'x'.repeat(40)}\n`
    stdin.write(line.repeat(250_000))
    await expect.poll(() => stdin.isPaused()).toBe(true)
    output.unblock()
    await expect.poll(() => stdin.isPaused()).toBe(false)
  })

  test('tells the end at once and, later, that everything was handed on', async () => {
    let full = true
    const { stdin, input, lines, onInputEnd, onHandedOn } = guarded({ isFull: () => full })
    stdin.end('a\nlast')
    await expect.poll(() => onInputEnd.mock.calls.length).toBe(1)
    expect(onHandedOn).not.toHaveBeenCalled()
    full = false
    input.proceed()
    await expect.poll(() => onHandedOn.mock.calls.length).toBe(1)
    await expect.poll(() => lines).toEqual(['a', 'last'])
  })

  test('takes an error of stdin as its end', async () => {
    const { stdin, onInputEnd } = guarded()
    stdin.destroy(new Error('EIO'))
    await expect.poll(() => onInputEnd.mock.calls.length).toBe(1)
  })
})
