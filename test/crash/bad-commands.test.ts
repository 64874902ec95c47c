import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { QueueError } from '../../src/domain/errors.ts'
import type { SubmitInput } from '../../src/domain/wire/submit.ts'
import { killManager, waitForManager } from '../support/manager-process.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { submit, useQueueClient, waitForEnd } from './support-b/queue-client.ts'
import { useWorkspace } from './support-b/workspace.ts'

type Params = SubmitInput['params']

it('bad commands are refused or fail with the reason; the manager stays the same process', async () => {
  const home = useTemporaryHome()
  const workspace = useWorkspace()
  const client = useQueueClient(home)
  await client.connect()
  const { pid } = await waitForManager(home.home)
  const file = join(workspace, 'plain.txt')
  writeFileSync(file, 'text\n', { mode: 0o644 })
  const folder = join(workspace, 'folder')
  mkdirSync(folder)
  const broken = join(workspace, 'broken')
  writeFileSync(broken, '#!/nonexistent/interpreter\n')
  chmodSync(broken, 0o755)

  const refused: readonly { params: Params; code: string; names: string }[] = [
    { params: { argv: ['echo', 'a\0b'], cwd: workspace }, code: 'invalid_input', names: 'NUL' },
    { params: { shell: true, script: 'echo a\0b', cwd: workspace }, code: 'invalid_input', names: 'NUL' },
    { params: { argv: ['true'], cwd: workspace, env: { NAME: 'a\0b' } }, code: 'invalid_input', names: 'NUL' },
    { params: { argv: ['true'], cwd: `${workspace}\0` }, code: 'invalid_input', names: 'NUL' },
    { params: { argv: ['echo', 'x'.repeat(3_000_000)], cwd: workspace }, code: 'limit_exceeded', names: '3000' },
    { params: { argv: [], cwd: workspace }, code: 'invalid_input', names: 'argv' },
    { params: { cwd: workspace }, code: 'invalid_input', names: 'argv' },
    { params: { shell: true, cwd: workspace }, code: 'invalid_input', names: 'script' },
    { params: { shell: true, argv: ['true'], script: 'true', cwd: workspace }, code: 'invalid_input', names: 'argv' },
    { params: { argv: ['true'], cwd: 'relative/path' }, code: 'invalid_input', names: 'relative/path' },
    { params: { argv: ['true'], cwd: workspace, env: { 'A=B': 'x' } }, code: 'invalid_input', names: 'A=B' },
    { params: { argv: ['true'], cwd: workspace, surprise: 1 }, code: 'invalid_input', names: 'surprise' },
  ]
  for (const { params, code, names } of refused) {
    const error: unknown = await submit(client, { params }).then(
      () => 'accepted',
      (thrown: unknown) => thrown,
    )
    expect(error, JSON.stringify(params).slice(0, 100)).toBeInstanceOf(QueueError)
    const { code: got, message, remedy } = error as QueueError
    expect([got, message]).toEqual([code, expect.stringContaining(names)])
    expect(message.length).toBeLessThan(1_000)
    expect(remedy).not.toBe('')
  }

  const missing = join(workspace, 'not-there')
  const notStarted: readonly { params: Params; names: string }[] = [
    { params: { argv: ['no-such-program-anywhere'], cwd: workspace }, names: 'no-such-program-anywhere' },
    { params: { argv: [missing], cwd: workspace }, names: missing },
    { params: { argv: [''], cwd: workspace }, names: 'program is empty' },
    { params: { argv: ['true'], cwd: missing }, names: missing },
    { params: { argv: ['true'], cwd: file }, names: `"${file}" is not a directory` },
    { params: { argv: [file], cwd: workspace }, names: `chmod +x ${file}` },
    { params: { argv: [folder], cwd: workspace }, names: 'is a directory' },
    { params: { argv: ['true'], cwd: `/${'d'.repeat(300)}` }, names: 'ENAMETOOLONG' },
    { params: { argv: ['echo', 'x'.repeat(500_000)], cwd: workspace }, names: 'too long' },
    { params: { shell: true, script: `: ${'x'.repeat(500_000)}`, cwd: workspace }, names: 'too long' },
  ]
  const ids: string[] = []
  for (const { params } of notStarted) ids.push((await submit(client, { params })).id)
  const jobs = await waitForEnd(client, ids)
  for (const [index, job] of jobs.entries()) {
    expect(job.state).toBe('failed')
    expect(job.error?.code).toBe('command_not_started')
    expect(`${job.error?.message} ${job.error?.remedy}`).toContain(notStarted[index]?.names)
    expect(job.attempts).toBe(1)
  }

  // Starts and ends at once: an exit of its own, as a shell would say it.
  const interpreter = await submit(client, { params: { argv: [broken], cwd: workspace } })
  const fine = await submit(client, { params: { argv: ['true'], cwd: workspace } })
  const [brokenJob, fineJob] = await waitForEnd(client, [interpreter.id, fine.id])
  expect(brokenJob?.state).toBe('failed')
  expect(brokenJob?.error?.code).toBe('command_failed')
  expect(fineJob?.state).toBe('completed')

  const after = await waitForManager(home.home)
  expect([after.pid, after.epoch]).toEqual([pid, 1])
  await killManager(home.home, 'SIGTERM')
  await home.ledger.assertNothingLeft()
})
