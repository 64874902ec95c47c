import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { QueueError } from '../../../src/domain/errors.ts'
import type { ManagerFile } from '../../../src/domain/wire/manager.ts'
import { problemOf } from '../../../src/manager/api/problem-answer.ts'
import { becomeLeader } from '../../../src/manager/process/leadership.ts'
import { bootId, processStartTime } from '../../../src/platform/process-identity.ts'
import { isAlive } from '../../support/proc.ts'

/** A process that stands for the manager, whose socket answers every call with one error. */
async function startRefusingManager(error: QueueError) {
  const folder = mkdtempSync(join(tmpdir(), 'nk-lead-'))
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  const socket = join(folder, 'manager-1.sock')
  const server = createServer((incoming, outgoing) => {
    incoming.resume()
    const problem = problemOf(error)
    outgoing.writeHead(problem.status, { 'content-type': 'application/problem+json' })
    outgoing.end(JSON.stringify(problem))
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  onTestFinished(() => {
    child.kill('SIGKILL')
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  })
  const pid = child.pid ?? 0
  const file: ManagerFile = {
    pid,
    start_time: processStartTime(pid) ?? '',
    boot_id: bootId(),
    instance_id: 'instance',
    epoch: 1,
    version: '1.0.0',
    api_version: 1,
    node: process.execPath,
    entry: '/nonexistent',
    socket,
    state: 'leading',
    written_at: 0,
  }
  const managerFile = join(folder, 'manager.json')
  writeFileSync(managerFile, JSON.stringify(file))
  return { pid, managerFile }
}

test('a manager that refuses a call lives: it is not replaced', async () => {
  const { pid, managerFile } = await startRefusingManager(new QueueError('limit_exceeded', 'too many calls'))
  const lock = await becomeLeader({
    managerFile,
    tryLock: () => null,
    probeTimeoutMs: 500,
    probeCount: 2,
    log: pino({ level: 'silent' }),
    skipKill: false,
  })
  expect(lock).toBeNull()
  expect(isAlive(pid)).toBe(true)
})
