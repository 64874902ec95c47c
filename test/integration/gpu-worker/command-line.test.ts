import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { distMain } from '../../support/repository.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'
import { sleepInput, useWorker } from './worker-harness.ts'
import { startProcess } from './worker-process.ts'

function useCommandLine() {
  const home = useTemporaryHome()
  const run = (...args: readonly string[]) => {
    const options = { env: home.environment, encoding: 'utf8', timeout: 30_000 } as const
    const { status, stdout, stderr } = spawnSync(process.execPath, [distMain, 'worker', ...args], options)
    return { status, stdout, stderr }
  }
  return { home, run }
}

test('init makes the files, and says how to start the worker and how to add it, without the key', () => {
  const { home, run } = useCommandLine()
  const directory = join(home.home, 'keys')
  const made = run('init', '--tls', '--directory', directory, '--host', 'rig.example', '192.0.2.7')
  expect(made).toMatchObject({ status: 0, stderr: '' })
  expect(made.stdout).toContain(`nightkiln worker --listen 0.0.0.0:7801 --key-file ${directory}/worker.key --tls-cert`)
  expect(made.stdout).toMatch(
    /nightkiln gpu add rig https:\/\/rig\.example:7801 --ca-file ~\/\S+\/rig-cert\.pem --key-file ~\/\S+\/rig\.key/,
  )
  expect(made.stdout).toContain('192.0.2.7')
  const key = readFileSync(join(directory, 'worker.key'), 'utf8').trim()
  expect(key.length).toBeGreaterThan(40)
  expect(made.stdout).not.toContain(key)
  for (const name of ['worker.key', 'worker-cert.pem', 'worker-cert.key']) {
    expect(statSync(join(directory, name)).mode & 0o077).toBe(0)
  }
  expect(run('init', '--directory', directory).stderr).toContain('is there already, and is not replaced')
})

test('install-service prints a unit with a user of its own, and secrets as credentials', () => {
  const { run } = useCommandLine()
  const place = ['install-service', '--print', '--listen', '0.0.0.0:7801', '--key-file', '/etc/a.key']
  // It would be started for ever in vain.
  expect(run(...place)).toMatchObject({ status: 9, stdout: '', stderr: expect.stringContaining('needs TLS') })
  const { status, stdout } = run(...place, '--tls-cert', '/etc/a-cert.pem', '--tls-key', '/etc/a-cert.key')
  expect(status).toBe(0)
  for (const line of ['DynamicUser=yes', 'StateDirectory=nightkiln-worker', 'LoadCredential=key:/etc/a.key']) {
    expect(stdout.split('\n')).toContain(line)
  }
  expect(stdout).toMatch(
    /^ExecStart=.* worker --listen 0\.0\.0\.0:7801 .*--key-file %d\/key --tls-cert %d\/tls-cert --tls-key %d\/tls-key$/m,
  )
  expect(stdout).toMatch(/^Restart=always$/m)
})

test('what cannot be served is refused with a code, in words', () => {
  const { run } = useCommandLine()
  expect(run('--listen', '0.0.0.0:0')).toMatchObject({ status: 9, stdout: '' })
  const { status, stderr } = run('--listen', 'nowhere')
  expect(status).toBe(2)
  expect(stderr).toContain('--listen is "nowhere", which is not HOST:PORT')
  expect(stderr).not.toContain('    at ')
})

test('the first lines say where it listens, with which GPU, and what it serves', async () => {
  const home = useTemporaryHome()
  const worker = await startProcess(home, ['--slots', '3'])
  expect(worker.output()).toMatch(/^the worker listens on http:\/\/127\.0\.0\.1:\d+, without a key/)
  expect(worker.output()).toMatch(/^GPU: .+$/m)
  expect(worker.output()).toMatch(/^job types: .*sleep.*; 3 at a time$/m)
  expect(worker.output()).toContain(`nightkiln gpu add NAME ${worker.url}`)
  await worker.end('SIGINT')
})

test('a state directory may be reached by a link, as that of a systemd service is', async () => {
  const { home } = useTemporaryHome()
  mkdirSync(join(home, 'private'), { mode: 0o700 })
  symlinkSync(join(home, 'private'), join(home, 'link'))
  const { put, untilEnded } = await useWorker({ home: join(home, 'link') })
  await put('p1', sleepInput(0))
  expect((await untilEnded('p1')).status).toBe('succeeded')
})
