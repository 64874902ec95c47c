import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { initWorker } from '../../../src/gpu-worker/main.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { sleepInput, speakTo, useWorker } from './worker-harness.ts'

const key = 'a-key-of-a-test-0123456789'

function keyFile(text = `${key}\n`, mode = 0o600): { readonly home: string; readonly file: string } {
  const { home } = useTemporaryHome()
  const file = join(home, 'test.key')
  writeFileSync(file, text)
  chmodSync(file, mode)
  return { home, file }
}

const refusedStart = async (options: Parameters<typeof useWorker>[0]): Promise<string> =>
  await useWorker(options).then(
    () => 'started',
    (error: Error) => error.message,
  )

describe('a key', () => {
  test('opens everything; what is not it opens nothing but the map', async () => {
    const { home, file } = keyFile()
    const { worker, ask } = await useWorker({ home, keyFile: file })
    expect((await ask('/')).status).toBe(200)
    const good = speakTo(worker.url, key)
    expect((await good.ask('/health-check')).status).toBe(200)
    expect((await good.put('p1', sleepInput(60))).status).toBe(202)
    const wrong = [null, 'wrong', key.slice(0, -1), `${key}x`, key.slice(0, 1), key.toUpperCase()]
    for (const given of wrong) {
      const bad = speakTo(worker.url, given)
      const paths = ['/health-check', '/predictions/p1', `/files/${'0'.repeat(64)}`, '/nothing']
      for (const path of paths) {
        const answer = await bad.ask(path)
        expect([path, given, answer.status, answer.body.code]).toEqual([path, given, 401, 'key_refused'])
      }
      expect((await bad.put('p2', sleepInput(0))).status).toBe(401)
      expect((await bad.ask('/predictions/p1/cancel', { method: 'POST' })).status).toBe(401)
      expect((await bad.ask('/predictions/p1', { method: 'DELETE' })).status).toBe(401)
    }
    expect((await good.look('p1')).status).toBe('processing')
    expect((await good.ask('/predictions/p2')).status).toBe(404)
  })

  test.each([
    ['that others can read', 0o644, 'others can read it (mode 0644)'],
    ['that the group can read', 0o640, 'others can read it (mode 0640)'],
  ])('file %s is refused', async (_, mode, why) => {
    const { home, file } = keyFile(undefined, mode)
    expect(await refusedStart({ home, keyFile: file })).toContain(why)
  })

  test('file that is a link, missing, empty, short or more than a line is refused, without its content', async () => {
    const { home, file } = keyFile()
    const link = join(home, 'link.key')
    symlinkSync(file, link)
    expect(await refusedStart({ home, keyFile: link })).toContain('it is a link')
    expect(await refusedStart({ home, keyFile: join(home, 'none') })).toContain('there is no such file')
    for (const text of ['', 'short', 'two words of a long key']) {
      writeFileSync(file, text)
      const message = await refusedStart({ home, keyFile: file })
      expect(message).toContain('one line of 16')
      if (text !== '') expect(message).not.toContain(text)
    }
  })

  test('may be a credential of systemd, which the group reads by an access list', async () => {
    const { home, file } = keyFile(undefined, 0o440)
    const elsewhere = join(home, 'credentials')
    mkdirSync(elsewhere)
    expect(await refusedStart({ home, keyFile: file, environment: { CREDENTIALS_DIRECTORY: elsewhere } })).toContain(
      'others can read it',
    )
    const isRoot = statSync(file).uid === 0
    const started = await refusedStart({ home, keyFile: file, environment: { CREDENTIALS_DIRECTORY: home } })
    expect(started).toBe(isRoot ? 'started' : expect.stringContaining('others can read it'))
  })
})

describe('beyond this machine', () => {
  test.each(['0.0.0.0:0', '[::]:0', '192.0.2.1:0'])('%s needs a key and TLS', async (listen) => {
    const { home, file } = keyFile()
    expect(await refusedStart({ home, listen })).toContain('needs a key (--key-file) and TLS')
    expect(await refusedStart({ home, listen, keyFile: file })).toContain('needs TLS')
  })

  test('the files that init makes serve', async () => {
    const { home } = useTemporaryHome()
    const made = await initWorker({ directory: home, tls: true, hosts: ['rig.example'], now: Date.now() })
    for (const file of [made.keyFile, made.certFile, made.certKeyFile]) {
      expect((statSync(file ?? '').mode & 0o777).toString(8)).toBe('600')
    }
    const again = initWorker({ directory: home, tls: true, hosts: [], now: Date.now() })
    await expect(again).rejects.toThrow('is there already')
    const { worker } = await useWorker({
      home: join(home, 'worker'),
      listen: '0.0.0.0:0',
      keyFile: made.keyFile,
      tlsCert: made.certFile,
      tlsKey: made.certKeyFile,
    })
    expect(worker.url).toMatch(/^https:/)
    const ask = (servername: string) =>
      new Promise<number | string>((resolve) => {
        const options = {
          host: '127.0.0.1',
          port: worker.port,
          path: '/health-check',
          servername,
          ca: readFileSync(made.certFile ?? ''),
          headers: { authorization: `Bearer ${readFileSync(made.keyFile, 'utf8').trim()}` },
        }
        request(options, (answer) => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        })
          .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
          .end()
      })
    expect(await ask('rig.example')).toBe(200)
    expect(await ask('localhost')).toBe(200)
    expect(await ask('other.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  })
})

test.skipIf(process.platform === 'win32')('a key of the certificate that everybody can read is refused', async () => {
  const { home } = useTemporaryHome()
  const made = await initWorker({ directory: home, tls: true, hosts: [], now: Date.now() })
  chmodSync(made.certKeyFile ?? '', 0o644)
  const { keyFile: file, certFile: tlsCert, certKeyFile: tlsKey } = made
  expect(await refusedStart({ home: join(home, 'worker'), keyFile: file, tlsCert, tlsKey })).toContain('everybody')
  chmodSync(made.certKeyFile ?? '', 0o640)
  expect((await useWorker({ home: join(home, 'worker'), keyFile: file, tlsCert, tlsKey })).worker.url).toMatch(
    /^https:/,
  )
})

test('a worker without a key answers no page of a browser, and no name but that of this machine', async () => {
  const { ask, worker } = await useWorker()
  expect((await ask('/health-check')).status).toBe(200)
  expect((await ask('/health-check', { headers: { origin: 'https://example.com' } })).status).toBe(403)
  const rebound = await new Promise<string>((resolve) => {
    const socket = connect(worker.port, '127.0.0.1', () =>
      socket.write('GET /health-check HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n'),
    )
    socket.setEncoding('utf8').once('data', (text: string) => resolve(text))
  })
  expect(rebound).toMatch(/^HTTP\/1.1 403/)
})
