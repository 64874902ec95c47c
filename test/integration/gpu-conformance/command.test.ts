import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { initWorker } from '../../../src/gpu-worker/setup/init-worker.ts'
import { errorOf, jsonOf, runCli } from '../../cli/run-cli.ts'
import { isWhole } from '../../support/rounds.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { bendWorker, withJson } from './support/bent-worker.ts'
import { python, startPythonWorker } from './support/python-worker.ts'

/** The suite waits for leases, time limits and checkpoints. */
const suiteMs = 170_000
/** Leases and time limits are waited for by the suites of both workers; here they only cross TLS. */
const fewGroups = ['--only', 'discovery/', 'key/', 'submit/', 'files/', 'checkpoint/']
const command = (...words: readonly string[]): readonly string[] => ['worker', 'conformance', ...words]

describe.skipIf(python === null)('nightkiln worker conformance', () => {
  test('goes through TLS, and tells every check as one JSON value', { timeout: suiteMs }, async () => {
    const home = useTemporaryHome()
    const made = await initWorker({ directory: join(home.home, 'made'), tls: true, hosts: [], now: Date.now() })
    const extra = ['--tls-cert', String(made.certFile), '--tls-key', String(made.certKeyFile)]
    const worker = await startPythonWorker(join(home.home, 'worker'), { extra })
    expect(worker.url.protocol).toBe('https:')
    const secrets = ['--key-file', worker.keyFile, '--ca-file', String(made.certFile)]
    const result = await runCli(home, command(worker.url.href, ...secrets, '--json', ...(isWhole ? [] : fewGroups)))
    expect(result.stderr).toBe('')
    expect(jsonOf(result)).toMatchObject({ failed: 0, skipped: 0 })
    expect(result.code).toBe(0)

    const untrusted = await runCli(home, command(worker.url.href, '--key-file', worker.keyFile, '--json'))
    expect(errorOf(untrusted)).toMatchObject({ code: 'gpu_unavailable' })
    expect(errorOf(untrusted).message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT')
  })

  test('exits 1 and says what was expected, what came and why it matters', { timeout: suiteMs }, async () => {
    const home = useTemporaryHome()
    const worker = await startPythonWorker(join(home.home, 'worker'))
    const bent = await bendWorker(worker, async (request, pass) => {
      const answer = await pass(request)
      return request.path === '/' ? withJson(answer, () => ({})) : answer
    })
    const result = await runCli(
      home,
      command(bent.url.href, '--key-file', worker.keyFile, '--only', 'discovery/', 'submit/'),
    )
    expect(result.code).toBe(1)
    const from = result.stdout.indexOf('failed   discovery/map')
    expect(from).toBeGreaterThanOrEqual(0)
    const told = result.stdout.slice(from).split('\n').slice(0, 4).join('\n')
    expect(told).toMatch(/expected {2}predictions_get_url.*\n.*came {6}\{\}\n.*matters {3}Its presence/)
    expect(result.stdout).toMatch(/^ok {7}submit\/accepted/m)
    expect(result.stdout).toContain('not checked: A restart')
    expect(result.stdout).toMatch(/^\d+ ok, 1 failure, 0 skipped$/m)
    expect(result.stdout).not.toContain('lease/')

    const none = await runCli(home, command(bent.url.href, '--key-file', worker.keyFile, '--only', 'lize', '--json'))
    expect(errorOf(none).message).toContain('no check begins with "lize"; there are discovery/')
    expect(result.stdout + result.stderr).not.toContain(worker.key)
  })

  test('refuses at once what could only fail: wrong key, no key, plain HTTP elsewhere, nobody there', async () => {
    const home = useTemporaryHome()
    const worker = await startPythonWorker(join(home.home, 'worker'))
    const other = await startPythonWorker(join(home.home, 'other'))
    const messageOf = async (...words: readonly string[]): Promise<string> => {
      const result = await runCli(home, command(...words, '--json'))
      expect(result.stdout).toBe('')
      expect(result.code).not.toBe(0)
      return errorOf(result).message
    }
    expect(await messageOf(worker.url.href, '--key-file', other.keyFile)).toContain('refuses this key')
    expect(await messageOf(worker.url.href)).toContain('refuses requests without a key')
    expect(await messageOf('http://192.0.2.1:7801', '--key-file', worker.keyFile)).toContain('plain HTTP')
    await other.kill()
    expect(await messageOf(other.url.href, '--key-file', other.keyFile)).toContain('ECONNREFUSED')
  })
})
