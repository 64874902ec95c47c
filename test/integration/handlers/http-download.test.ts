import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Given, request } from './http-run.ts'
import { type StaticFile, serve, serveFile, serveRaw } from './web-server.ts'

const content = randomBytes(300_000)
const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const sha256 = sha256Of(content)
const changed = Buffer.concat([Buffer.from('changed'), content])

type Run = Awaited<ReturnType<typeof request>>

const kept = (run: Run): Buffer | null => {
  const [artifact] = run.artifacts
  return artifact === undefined ? null : readFileSync(artifact.path)
}

const logText = ({ logs }: Run): string => logs.map(({ message }) => message).join('\n')

/** A first attempt that is cut after 100,000 bytes, and what it leaves. */
async function cutDownload(file: Omit<StaticFile, 'content'>, params: Partial<Given['params']> = {}) {
  const served: StaticFile = { ...file, content, cuts: [100_000] }
  const server = await serveFile(served)
  const url = `${server.origin}/data.zip`
  const first = await request(
    { url, download: true, ...params },
    { onProgress: ({ current }) => server.arrived(current) },
  )
  expect(first.outcome).toMatchObject({ kind: 'failed' })
  expect(first.artifacts).toEqual([])
  const checkpoint = first.checkpoints.at(-1)
  if (checkpoint === undefined) throw new Error('there is no checkpoint')
  expect(checkpoint).toMatchObject({ url, total: 300_000, bytes: 100_000 })
  expect(readFileSync(checkpoint.file).equals(content.subarray(0, checkpoint.bytes))).toBe(true)
  const again = (more: Partial<Given['params']> = {}) =>
    request({ url, download: true, ...params, ...more }, { attempt: 2, lastCheckpoint: checkpoint })
  return { server, served, checkpoint, again, url }
}

describe('a download', () => {
  test('of a URL that ends in the name of large results gets another one; to choose it is refused', async () => {
    const { origin, requests } = await serveFile({ content })
    const run = await request({ url: `${origin}/a/Result.json`, download: true })
    expect(run.outcome).toEqual({ kind: 'completed' })
    expect(run.result?.artifact).toBe('download-Result.json')
    const before = requests.length
    const chosen = await request({ url: `${origin}/a/data.zip`, download: { name: 'result.json' } })
    expect(chosen.outcome).toMatchObject({ kind: 'rejected' })
    expect(requests.length).toBe(before)
  })

  test('becomes an artifact, with progress in bytes', async () => {
    const { origin, requests } = await serveFile({ content, etag: '"one"' })
    const run = await request({ url: `${origin}/a/data.zip?key=1`, download: true, sha256 })
    expect(run.outcome).toEqual({ kind: 'completed' })
    expect(run.result).toEqual({
      status: 200,
      url: `${origin}/a/data.zip?key=1`,
      headers: { 'content-type': 'application/zip', 'content-length': '300000', etag: '"one"' },
      artifact: 'data.zip',
      bytes: 300_000,
      sha256,
    })
    expect(kept(run)?.equals(content)).toBe(true)
    expect(run.artifacts[0]?.mediaType).toBe('application/zip')
    expect(run.progress.at(-1)).toEqual({ current: 300_000, total: 300_000, message: 'data.zip', stage: 'downloading' })
    expect(requests[0]?.headers['accept-encoding']).toBe('identity')
    expect(requests[0]?.headers.range).toBeUndefined()
  })

  test('of nothing is an empty file', async () => {
    const { origin } = await serveFile({ content: Buffer.alloc(0) })
    const run = await request({ url: `${origin}/empty`, download: true, sha256: sha256Of(Buffer.alloc(0)) })
    expect(run.result).toMatchObject({ artifact: 'empty', bytes: 0 })
  })

  test('without a length is taken to its end', async () => {
    const { origin } = await serve((_, response) => {
      response.write(content)
      response.end(content)
    })
    const run = await request({ url: origin, download: true })
    expect(run.result).toMatchObject({ bytes: 600_000, artifact: 'download' })
    expect(run.progress.at(-1)).toMatchObject({ current: 600_000, total: null })
  })

  test.each<[string, Given['params']['download'], Given['unit'], string]>([
    ['/a/b%20c.txt', true, undefined, 'b c.txt'],
    ['/a/..%2f..%2fetc', true, undefined, '_.._etc'],
    ['/', true, undefined, 'download'],
    ['/%E0%A4%A', true, undefined, '%E0%A4%A'],
    ['/x', { name: 'chosen.zip' }, undefined, 'chosen.zip'],
    ['/x', { name: 'chosen.zip' }, { name: 'own/../.zip' }, 'own_.._.zip'],
    [`/${'ä'.repeat(190)}`, true, undefined, 'ä'.repeat(75)],
  ])('of %s with %j and the unit %j is called %s', async (path, download, unit, name) => {
    const { origin } = await serveFile({ content: Buffer.from('x') })
    const run = await request(unit === undefined ? { url: origin + path, download } : { download }, {
      ...(unit === undefined ? {} : { unit: { url: origin + path, ...(unit as object) } }),
    })
    expect(run.result?.artifact).toBe(name)
  })

  test('that the server compresses without being asked is kept as it came', async () => {
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': '3' }).end('abc')
    })
    const run = await request({ url: `${origin}/x.gz`, download: true })
    expect(kept(run)?.toString()).toBe('abc')
    expect(run.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('gzip') }),
    )
  })

  test('with another hash is not kept, and never tried again', async () => {
    const { origin } = await serveFile({ content })
    const run = await request({}, { unit: { url: `${origin}/data.zip`, sha256: 'b'.repeat(64) } })
    expect(run.outcome).toMatchObject({ kind: 'rejected' })
    const loaded = await request({ download: true }, { unit: { url: `${origin}/data.zip`, sha256: 'b'.repeat(64) } })
    expect(loaded.outcome).toMatchObject({
      kind: 'rejected',
      message: `${origin}/data.zip has the sha256 ${sha256}, not ${'b'.repeat(64)}; nothing of it is kept`,
    })
    expect(loaded.artifacts).toEqual([])
    expect(existsSync(`${loaded.directory}/files/download.part`)).toBe(false)
  })

  test('with a status that is not expected keeps nothing', async () => {
    const { origin } = await serve((_, response) => void response.writeHead(404).end('not here'))
    const run = await request({ url: origin, download: true })
    expect(run.outcome).toMatchObject({ kind: 'rejected' })
    expect(run.artifacts).toEqual([])
  })

  test.each([
    ['announces', { 'content-length': '300000' }, 'has 300000 bytes'],
    ['sends', {}, 'does not end'],
  ])('whose server %s more than max_bytes is not kept', async (_, headers, words) => {
    const { origin } = await serve((_request, response) => {
      response.writeHead(200, headers).end(content)
    })
    const run = await request({ url: origin, download: true, max_bytes: 100_000 })
    expect(run.outcome).toMatchObject({ kind: 'rejected', message: expect.stringContaining(words) })
    expect(existsSync(`${run.directory}/files/download.part`)).toBe(false)
  })

  test('that brings a part that nobody asked for fails', async () => {
    const { origin } = await serve((_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-2/300' }).end('abc')
    })
    expect((await request({ url: origin, download: true })).outcome).toMatchObject({ kind: 'failed' })
  })
})

describe('a download that was cut', () => {
  test('has saved what it had every second, and only what is on the disk', async () => {
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { etag: '"one"', 'content-length': '90000000' })
      const timer = setInterval(() => response.write(Buffer.alloc(4096)), 20)
      response.on('close', () => clearInterval(timer))
    })
    const controller = new AbortController()
    const saved: number[] = []
    const { outcome } = await request(
      { url: origin, download: true },
      {
        signal: controller.signal,
        onCheckpoint: ({ bytes, file }) => {
          expect(statSync(file).size).toBe(bytes)
          saved.push(bytes)
          if (saved.length === 2) controller.abort()
        },
      },
    )
    expect(outcome).toEqual({ kind: 'cancelled' })
    expect(saved[0]).toBeGreaterThan(0)
    expect(saved[1]).toBeGreaterThan(saved[0] ?? 0)
  })

  test('is continued with Range and If-Range, and the whole is checked', async () => {
    const { server, checkpoint, again } = await cutDownload({ etag: '"one"' }, { sha256 })
    const run = await again()
    expect(run.outcome).toEqual({ kind: 'completed' })
    expect(run.result).toMatchObject({ status: 206, bytes: 300_000, sha256, resumed_at: checkpoint.bytes })
    expect(kept(run)?.equals(content)).toBe(true)
    expect(server.requests[1]?.headers).toMatchObject({ range: `bytes=${checkpoint.bytes}-`, 'if-range': '"one"' })
    expect(run.progress[0]).toMatchObject({ current: checkpoint.bytes, total: 300_000, stage: 'resuming' })
    expect(logText(run)).toContain(`continues after ${checkpoint.bytes} bytes`)
  })

  test('is continued as often as it is cut', async () => {
    const { origin, requests, arrived } = await serveFile({ content, etag: '"one"', cuts: [50_000, 60_000, 0, 70_000] })
    const params = { url: `${origin}/data.zip`, download: true, sha256 } as const
    let last: Run['checkpoints'][number] | undefined
    for (let attempt = 1; ; attempt += 1) {
      const onProgress = ({ current }: { current: number }) => arrived(current)
      const run = await request(params, { attempt, lastCheckpoint: last ?? null, onProgress })
      last = run.checkpoints.at(-1) ?? last
      if (run.outcome.kind === 'failed' && attempt < 6) continue
      expect(run.outcome).toEqual({ kind: 'completed' })
      expect(kept(run)?.equals(content)).toBe(true)
      break
    }
    expect(requests.map(({ headers }) => headers.range)).toEqual([
      undefined,
      'bytes=50000-',
      'bytes=110000-',
      'bytes=110000-',
      'bytes=180000-',
    ])
  })

  test('is continued by its time when there is no ETag and it is old enough', async () => {
    const lastModified = 'Fri, 04 May 2001 22:00:00 GMT'
    const { server, checkpoint, again } = await cutDownload({ lastModified })
    expect((await again()).result).toMatchObject({ resumed_at: checkpoint.bytes })
    expect(server.requests[1]?.headers['if-range']).toBe(lastModified)
  })

  test.each([
    ['no validator', {}],
    ['a weak ETag', { etag: 'W/"one"' }],
    ['a time of a moment ago', { lastModified: new Date().toUTCString() }],
  ])('begins anew with %s, and says so', async (_, file) => {
    const { server, checkpoint, again } = await cutDownload(file)
    const run = await again()
    expect(run.result).toMatchObject({ status: 200, bytes: 300_000 })
    expect(run.result).not.toHaveProperty('resumed_at')
    expect(kept(run)?.equals(content)).toBe(true)
    expect(server.requests[1]?.headers.range).toBeUndefined()
    expect(logText(run)).toContain(`starts over after ${checkpoint.bytes} bytes: the server gave nothing`)
    expect(existsSync(checkpoint.file)).toBe(false)
  })

  test('begins anew when the file has changed at the server', async () => {
    const { server, served, checkpoint, again } = await cutDownload({ etag: '"one"' })
    Object.assign(served, { content: changed, etag: '"two"' })
    const run = await again()
    expect(run.result).toMatchObject({ status: 200, bytes: changed.length })
    expect(kept(run)?.equals(changed)).toBe(true)
    expect(server.requests.length).toBe(2)
    expect(logText(run)).toContain('it has changed')
    expect(existsSync(checkpoint.file)).toBe(false)
  })

  test('is not mixed with a changed file of the same length whose parts carry no ETag', async () => {
    const { served, again, checkpoint } = await cutDownload({ etag: '"one"', hidesValidatorsOfParts: true })
    expect((await again()).result).toMatchObject({ resumed_at: checkpoint.bytes })
    const other = await cutDownload({ etag: '"one"', hidesValidatorsOfParts: true })
    Object.assign(other.served, { content: changed.subarray(0, content.length), etag: '"two"' })
    expect(kept(await other.again())?.equals(changed.subarray(0, content.length))).toBe(true)
    expect(served.content.length).toBe(other.served.content.length)
  })

  test('is not mixed with a changed file when the server ignores If-Range', async () => {
    const { server, served, again } = await cutDownload({ etag: '"one"', honoursIfRange: false })
    Object.assign(served, { content: changed.subarray(0, content.length), etag: '"two"' })
    const run = await again()
    expect(kept(run)?.equals(changed.subarray(0, content.length))).toBe(true)
    expect(server.requests.length).toBe(3)
    expect(server.requests[2]?.headers.range).toBeUndefined()
    expect(logText(run)).toContain('it has another ETag')
  })

  test.each([
    ['bytes 7-299999/300000', 'another part'],
    ['bytes 100000-299999/400000', 'changed'],
    ['gibberish', 'another part'],
    [undefined, 'another part'],
  ])('begins anew when the answer has the Content-Range %s', async (range, words) => {
    const { origin } = await serve((asked, response) => {
      response.setHeader('etag', '"one"')
      if (asked.headers.range !== undefined)
        response.writeHead(206, range === undefined ? {} : { 'content-range': range })
      response.end(content)
    })
    const directory = (await request({ url: origin, download: true })).directory
    const file = `${directory}/left`
    writeFileSync(file, content.subarray(0, 100_000))
    const checkpoint = { file, url: `${origin}/`, etag: '"one"', last_modified: null, bytes: 100_000, total: 300_000 }
    const run = await request({ url: origin, download: true }, { lastCheckpoint: checkpoint })
    expect(kept(run)?.equals(content)).toBe(true)
    expect(logText(run)).toContain(words)
  })

  test('begins anew when the server has less than is there', async () => {
    const { served, again } = await cutDownload({ etag: '"one"', honoursIfRange: false })
    Object.assign(served, { content: Buffer.from('short'), etag: '"two"' })
    const run = await again()
    expect(kept(run)?.toString()).toBe('short')
  })

  test('begins anew when its file is gone, or shorter than it should be', async () => {
    const gone = await cutDownload({ etag: '"one"' })
    unlinkSync(gone.checkpoint.file)
    expect(logText(await gone.again())).toContain('its file is gone')
    const shorter = await cutDownload({ etag: '"one"' })
    truncateSync(shorter.checkpoint.file, 10)
    const run = await shorter.again()
    expect(kept(run)?.equals(content)).toBe(true)
    expect(shorter.server.requests[1]?.headers.range).toBeUndefined()
  })

  test('does not trust what came after the checkpoint', async () => {
    const { checkpoint, again } = await cutDownload({ etag: '"one"' })
    writeFileSync(checkpoint.file, Buffer.alloc(250_000), { flag: 'a' })
    const run = await again({ sha256 })
    expect(kept(run)?.equals(content)).toBe(true)
  })

  test('is loaded whole after a wrong hash of its parts', async () => {
    const { checkpoint, again } = await cutDownload({ etag: '"one"' }, { sha256 })
    writeFileSync(checkpoint.file, Buffer.alloc(checkpoint.bytes))
    const run = await again()
    expect(run.outcome).toMatchObject({ kind: 'failed', message: expect.stringContaining('loads it whole') })
    expect(run.artifacts).toEqual([])
    expect(existsSync(checkpoint.file)).toBe(false)
    const last = await again()
    expect(kept(last)?.equals(content)).toBe(true)
  })

  test('keeps what it has when the server is busy', async () => {
    const { checkpoint, url, server } = await cutDownload({ etag: '"one"' })
    const busy = await serve((_, response) => void response.writeHead(503, { 'retry-after': '5' }).end())
    const redirected = { ...checkpoint, url: `${busy.origin}/` }
    const run = await request({ url: busy.origin, download: true }, { lastCheckpoint: redirected })
    expect(run.outcome).toMatchObject({ kind: 'rate_limited', waitMs: 5000 })
    expect(existsSync(checkpoint.file)).toBe(true)
    const last = await request({ url, download: true }, { lastCheckpoint: checkpoint })
    expect(last.result).toMatchObject({ resumed_at: checkpoint.bytes })
    expect(server.requests.length).toBe(2)
  })

  test('by a cancel goes on from there', async () => {
    const { origin } = await serve((asked, response) => {
      response.setHeader('etag', '"one"')
      const first = Number(/\d+/.exec(asked.headers.range ?? '')?.[0] ?? 0)
      if (first > 0)
        response.writeHead(206, { 'content-range': `bytes ${first}-299999/300000` }).end(content.subarray(first))
      else {
        response.writeHead(200, { 'content-length': '300000' })
        response.write(content.subarray(0, 100_000))
      }
    })
    const controller = new AbortController()
    const params = { url: origin, download: true, sha256 } as const
    const run = await request(params, {
      signal: controller.signal,
      onProgress: ({ current }) => void (current === 100_000 && controller.abort()),
    })
    expect(run.outcome).toEqual({ kind: 'cancelled' })
    const checkpoint = run.checkpoints.at(-1)
    expect(checkpoint?.bytes).toBe(100_000)
    const next = await request(params, { lastCheckpoint: checkpoint ?? null })
    expect(next.result).toMatchObject({ resumed_at: 100_000 })
    expect(kept(next)?.equals(content)).toBe(true)
  })

  test('that is shorter than announced is a failure that is continued', async () => {
    let cut = () => {}
    const { origin } = await serveRaw((socket, text) => {
      const first = Number(/range: bytes=(\d+)-/i.exec(text)?.[1] ?? -1)
      const head = 'etag: "one"\r\nconnection: close\r\n'
      if (first === -1) {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 10\r\n${head}\r\n01234`)
        cut = () => void socket.end()
      }
      // Less than the rest: the body is complete, the file is not.
      else if (first === 5)
        socket.end(`HTTP/1.1 206 Part\r\ncontent-length: 2\r\ncontent-range: bytes 5-6/10\r\n${head}\r\n56`)
      else socket.end(`HTTP/1.1 206 Part\r\ncontent-length: 3\r\ncontent-range: bytes 7-9/10\r\n${head}\r\n789`)
    })
    const params = { url: origin, download: true } as const
    const first = await request(params, { onProgress: ({ current }) => void (current === 5 && cut()) })
    expect(first.outcome).toMatchObject({ kind: 'failed' })
    const second = await request(params, { lastCheckpoint: first.checkpoints.at(-1) ?? null })
    expect(second.outcome).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('ended after 7 of 10 bytes'),
    })
    const third = await request(params, { lastCheckpoint: second.checkpoints.at(-1) ?? null })
    expect(kept(third)?.toString()).toBe('0123456789')
  })
})
