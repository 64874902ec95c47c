import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readManagerFile } from '../support/manager-process.ts'
import { isAlive } from '../support/proc.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { useQueue } from './queue.ts'
import { errorOf, jsonOf, runCli, runProcess, startCli } from './run-cli.ts'

const patience = { timeout: 20_000, interval: 50 }

describe('manager', () => {
  it('start once, status, logs, stop, and then nothing is left', async () => {
    const home = useTemporaryHome()
    const before = await runCli(home, ['manager', 'status', '--json'])
    expect(before.code).toBe(7)
    expect(jsonOf(before)).toMatchObject({ manager_running: false })
    expect(readManagerFile(home.home)).toBeNull()

    const started = jsonOf(await runProcess(home, ['manager', 'start', '--json']))
    expect(started).toMatchObject({ started: true })
    expect(jsonOf(await runCli(home, ['manager', 'start', '--json']))).toMatchObject({
      started: false,
      pid: started['pid'],
    })
    expect(jsonOf(await runCli(home, ['manager', 'status', '--json']))).toMatchObject({
      manager_running: true,
      manager: { pid: started['pid'] },
    })
    const logs = jsonOf(await runCli(home, ['manager', 'logs', '--json']))
    expect(logs['records']).toEqual(expect.arrayContaining([expect.objectContaining({ msg: expect.any(String) })]))

    const stopped = await runProcess(home, ['manager', 'stop', '--json'])
    expect(stopped.code).toBe(0)
    expect(jsonOf(stopped)).toMatchObject({ stopped: true, pid: started['pid'] })
    expect(isAlive(Number(started['pid']))).toBe(false)
    expect(jsonOf(await runCli(home, ['manager', 'stop', '--json']))).toMatchObject({ stopped: false })
    await home.ledger.assertNothingLeft()
  })

  it('stop leaves a command running for the next manager', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await queue.submit('while [ ! -e go ]; do sleep 0.05; done')
    await waitUntil(async () => (await queue.state(id)) === 'running')
    expect(jsonOf(await runCli(home, ['manager', 'stop', '--json']))).toMatchObject({ stopped: true, running: 1 })
    writeFileSync(join(home.home, 'go'), '')
    expect((await runCli(home, ['wait', id])).code).toBe(0)
    expect(jsonOf(await runCli(home, ['status', id, '--json']))).toMatchObject({
      jobs: [{ state: 'completed', attempts: 1 }],
    })
  })

  it('stop --drain waits for what runs', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await queue.submit('while [ ! -e go ]; do sleep 0.05; done')
    await waitUntil(async () => (await queue.state(id)) === 'running')
    const stopping = startCli(home, ['manager', 'stop', '--drain', '20s'])
    await expect.poll(() => stopping.stderr(), patience).toContain('waits up to')
    writeFileSync(join(home.home, 'go'), '')
    expect((await stopping.ended).code).toBe(0)
    expect(jsonOf(await runCli(home, ['status', id, '--json']))).toMatchObject({
      jobs: [{ state: 'completed', attempts: 1 }],
    })
  })

  it('stop --release queues it again at once, and the next manager runs it anew', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await queue.submit('echo run >> runs; while [ ! -e go ]; do sleep 0.05; done')
    await expect.poll(() => existsSync(join(home.home, 'runs')), patience).toBe(true)
    expect((await runCli(home, ['manager', 'stop', '--release'])).code).toBe(0)
    await home.ledger.assertNothingLeft()
    writeFileSync(join(home.home, 'go'), '')
    expect((await runCli(home, ['wait', id])).code).toBe(0)
    expect(readFileSync(join(home.home, 'runs'), 'utf8')).toBe('run\nrun\n')
  })

  it('refuses --follow with --json, and a bad length', async () => {
    const home = useTemporaryHome()
    expect(errorOf(await runCli(home, ['manager', 'logs', '--follow', '--json'])).code).toBe('invalid_input')
    expect(errorOf(await runCli(home, ['manager', 'stop', '--drain', 'soon', '--json'])).message).toContain('--drain')
  })
})
