import { describe, expect, test } from 'vitest'
import { stretched } from '../support/machine-speed.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { startFrontEnd } from './support/front-end.ts'

const mebibyte = 1024 * 1024

describe('the front end survives', () => {
  test('garbage, blank lines and invalid UTF-8', async () => {
    const frontEnd = startFrontEnd(useTemporaryHome())
    await frontEnd.initialize()
    frontEnd.write('this is not JSON\n\n\r\n{"jsonrpc":\n[1,2\nnull\n42\n{"jsonrpc":"2.0"}\n{"id":{}}\n')
    frontEnd.write(Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0x0a]))
    frontEnd.write(
      Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":"x","method":"'), Buffer.of(0xc3, 0x28, 0x80, 0x0a)]),
    )
    expect(await frontEnd.request('ping')).toMatchObject({ result: {} })
  })

  test('calls of tools that do not exist', async () => {
    const frontEnd = startFrontEnd(useTemporaryHome())
    await frontEnd.initialize()
    for (const name of ['__proto__', 'constructor', 'toString', '', 'submit-job']) {
      const answer = await frontEnd.callTool(name)
      expect(answer.error).toMatchObject({ code: -32602, message: expect.stringContaining('submit_job') })
    }
  })

  test('a message of 12 MB, which gets a clear error', async () => {
    const frontEnd = startFrontEnd(useTemporaryHome())
    await frontEnd.initialize()
    const input = { params: { argv: ['x'.repeat(12_000_000)] } }
    const answer = await frontEnd.callTool('submit_job', input)
    expect(answer.error?.code).toBe(-32600)
    expect(answer.error?.message).toMatch(/120\d{5} bytes long; at most 10485760 bytes are taken.*file/)
    expect(await frontEnd.request('ping')).toMatchObject({ result: {} })
  })

  test('12 MB without any sense, which get an error without an id', async () => {
    const frontEnd = startFrontEnd(useTemporaryHome())
    await frontEnd.initialize()
    frontEnd.write(`${'x'.repeat(12_000_000)}\n`)
    await waitUntil(() => frontEnd.messages.some(({ id, error }) => id === undefined && error?.code === -32700))
    expect(await frontEnd.request('ping')).toMatchObject({ result: {} })
  })

  test('a message of 400 MB in bounded memory', async () => {
    const frontEnd = startFrontEnd(useTemporaryHome())
    await frontEnd.initialize()
    const before = frontEnd.residentBytes()
    const piece = Buffer.alloc(mebibyte, 'x')
    let highest = before
    frontEnd.write('{"jsonrpc":"2.0","method":"tools/call","params":{"text":"')
    for (let index = 0; index < 400; index += 1) {
      const flushed = frontEnd.child.stdin.write(piece)
      if (!flushed) await new Promise((resolve) => frontEnd.child.stdin.once('drain', resolve))
      highest = Math.max(highest, frontEnd.residentBytes())
    }
    frontEnd.write('"},"id":"huge"}\n')
    expect((await frontEnd.answerTo('huge', 40_000)).error?.message).toContain('bytes long')
    expect(highest - before).toBeLessThan(150 * mebibyte)
    expect(await frontEnd.request('ping')).toMatchObject({ result: {} })
  })

  test('a client that never reads, in bounded memory, and answers everything once it reads', {
    timeout: 240_000,
  }, async () => {
    const calls = 3_000
    const frontEnd = startFrontEnd(useTemporaryHome(), { read: false })
    const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'deaf', version: '1' } }
    frontEnd.send({ id: 'first', method: 'initialize', params: initialize })
    await waitUntil(() => frontEnd.child.stdout.readableLength > 0 || frontEnd.residentBytes() > 40 * mebibyte)
    for (let id = 0; id < calls; id += 1) frontEnd.send({ id, method: 'tools/list' })
    // All requests have left this process when its own buffer is empty; what they caused shows in the memory.
    await waitUntil(() => frontEnd.child.stdin.writableLength === 0, {
      timeoutMs: 60_000,
      what: 'requests to be taken',
    })
    let highest = 0
    const start = performance.now()
    await waitUntil(
      () => {
        highest = Math.max(highest, frontEnd.residentBytes())
        return performance.now() - start > 2_000
      },
      { what: 'memory to settle' },
    )
    // One read of stdin holds some 1,300 requests; unbounded, the answers alone would take more than 240 MB.
    expect(highest).toBeLessThan(230 * mebibyte)
    frontEnd.readStdout()
    // 240 MB are written and read.
    await frontEnd.answerTo(calls - 1, 150_000)
    expect(frontEnd.messages).toHaveLength(calls + 1)
  })

  test('a client that provokes any number of reports: stderr stays bounded', async () => {
    const requests = 1_000
    const frontEnd = startFrontEnd(useTemporaryHome())
    const _meta = {
      // Named in each report.
      'io.modelcontextprotocol/protocolVersion': '9'.repeat(450),
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    for (let id = 0; id < requests; id += 1) frontEnd.send({ id, method: 'tools/list', params: { _meta } })
    expect((await frontEnd.answerTo(requests - 1)).error).toMatchObject({ code: -32022 })
    await frontEnd.initialize()
    expect(frontEnd.stderr().length).toBeGreaterThan(0)
    expect(frontEnd.stderr().length).toBeLessThan(64 * 1024)
  })

  test('a client that never reads and then ends stdin', async () => {
    const frontEnd = startFrontEnd(useTemporaryHome(), { read: false })
    for (let id = 0; id < 2_000; id += 1) frontEnd.send({ id, method: 'tools/list' })
    const start = await new Promise<number>((resolve) => {
      frontEnd.child.stdin.end(() => resolve(performance.now()))
    })
    const exit = await frontEnd.exit
    expect(exit).toMatchObject({ code: 0, signal: null })
    // The process may still have been starting when stdin ended.
    expect(exit.at - start).toBeLessThan(await stretched(2_000))
  })

  test('a burst of 10,000 calls', async () => {
    const calls = 10_000
    const frontEnd = startFrontEnd(useTemporaryHome())
    await frontEnd.initialize()
    for (let id = 0; id < calls; id += 1) {
      frontEnd.send({ id, method: 'tools/call', params: { name: 'job_status', arguments: { ids: ['nonsense'] } } })
    }
    await frontEnd.answerTo(calls - 1, 40_000)
    await waitUntil(() => frontEnd.messages.length === calls + 1)
    expect(frontEnd.messages.filter(({ result }) => result?.['isError'] === true)).toHaveLength(calls)
  })
})
