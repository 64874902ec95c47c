import { PassThrough } from 'node:stream'
import { afterEach, expect, test, vi } from 'vitest'
import { takeProtocolOutput } from '../../../src/server/protocol-output.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

function fakeStdout() {
  const stdout = new PassThrough()
  const written: string[] = []
  stdout.on('data', (chunk: Buffer) => written.push(chunk.toString('utf8')))
  return { stdout: stdout as unknown as NodeJS.WriteStream, written }
}

test('only protocol messages reach stdout; everything else goes to stderr', async () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const { stdout, written } = fakeStdout()
  const output = takeProtocolOutput(stdout)
  stdout.write('a library prints\n')
  output.stream.write('{"jsonrpc":"2.0"}\n')
  await expect.poll(() => written).toEqual(['{"jsonrpc":"2.0"}\n'])
  expect(stderr).toHaveBeenCalledWith('a library prints\n')

  output.restore()
  stdout.write('after\n')
  await expect.poll(() => written).toContain('after\n')
})

test('says that it needs a pause when its reader is slow', async () => {
  const { stdout } = fakeStdout()
  stdout.write = () => false
  const output = takeProtocolOutput(stdout)
  expect(output.stream.write('x'.repeat(1_000_000))).toBe(false)
  expect(output.stream.writableNeedDrain).toBe(true)
})
