import { spawn } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { stretched } from '../support/machine-speed.ts'
import { isAlive } from '../support/proc.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { frontEndCommand, startFrontEnd } from './support/front-end.ts'

const exitWithinMs = 1_000

describe('the front end ends within 1 s with code 0', () => {
  test('when stdin ends', async () => {
    const frontEnd = startFrontEnd(useTemporaryHome())
    await frontEnd.initialize()
    const start = performance.now()
    frontEnd.child.stdin.end()
    const exit = await frontEnd.exit
    expect(exit).toMatchObject({ code: 0, signal: null })
    expect(exit.at - start).toBeLessThan(await stretched(exitWithinMs))
  })

  test('when the client closed our stdout', async () => {
    const frontEnd = startFrontEnd(useTemporaryHome())
    await frontEnd.initialize()
    frontEnd.child.stdout.destroy()
    const start = performance.now()
    frontEnd.send({ id: 'unread', method: 'ping' })
    const exit = await frontEnd.exit
    expect(exit).toMatchObject({ code: 0, signal: null })
    expect(exit.at - start).toBeLessThan(await stretched(exitWithinMs))
  })

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('on %s', async (signal) => {
    const frontEnd = startFrontEnd(useTemporaryHome())
    await frontEnd.initialize()
    const start = performance.now()
    process.kill(frontEnd.pid, signal)
    const exit = await frontEnd.exit
    expect(exit).toMatchObject({ code: 0, signal: null })
    expect(exit.at - start).toBeLessThan(await stretched(exitWithinMs))
  })

  test('when its parent is killed although stdin stays open', async () => {
    const home = useTemporaryHome()
    // Two shells: the inner one is the parent and is killed; the outer one keeps stdin open all the time.
    const inner = '"$@" <&3 & echo "pids $$ $!" >&2; wait'
    const outer = `exec 3<&0; /bin/sh -c '${inner}' inner "$@" & wait; sleep 60`
    const shell = spawn('/bin/sh', ['-c', outer, 'outer', ...frontEndCommand], { env: { ...home.environment } })
    home.ledger.add(shell.pid)
    let stderr = ''
    shell.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const pids = await waitUntil(() => /pids (\d+) (\d+)/.exec(stderr), { what: 'the pids' })
    const [parent, pid] = [Number(pids[1]), Number(pids[2])]
    home.ledger.add(pid)
    let stdout = ''
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    shell.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })}\n`)
    await waitUntil(() => stdout.includes('"id":1'), { what: 'an answer' })

    const start = performance.now()
    process.kill(parent, 'SIGKILL')
    await waitUntil(() => !isAlive(pid), { what: 'the front end to end' })
    const tookMs = performance.now() - start
    expect(tookMs).toBeLessThan(await stretched(exitWithinMs))
  })
})

test('requests that came before the end of stdin are answered', async () => {
  const frontEnd = startFrontEnd(useTemporaryHome())
  const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'pipe', version: '1' } }
  frontEnd.send({ id: 1, method: 'initialize', params: initialize })
  frontEnd.send({ id: 2, method: 'tools/list' })
  // The last line has no newline.
  frontEnd.write(JSON.stringify({ jsonrpc: '2.0', id: 3, method: 'ping' }))
  frontEnd.child.stdin.end()
  expect(await frontEnd.exit).toMatchObject({ code: 0 })
  await waitUntil(() => frontEnd.child.stdout.readableEnded, { what: 'the end of stdout' })
  expect(frontEnd.messages.map(({ id }) => id)).toEqual(expect.arrayContaining([1, 2, 3]))
})
