import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { distMain } from '../../support/repository.ts'
import type { TemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'

const script = fileURLToPath(new URL('./race-client.mjs', import.meta.url))
const dist = dirname(dirname(distMain))

/** A hundred starts of Node take a minute of processor time, wherever that comes from. */
const loadedWithinMs = 180_000

export interface Answer {
  /** The job of the shared key. */
  readonly id: string
  /** The manager that answered. */
  readonly pid: number
  readonly epoch: number
}

interface Member {
  readonly child: ChildProcessWithoutNullStreams
  text: string
}

function start(home: TemporaryHome, args: readonly string[]): Member {
  const child = spawn(process.execPath, [...args], { env: { ...home.environment }, stdio: ['pipe', 'pipe', 'pipe'] })
  home.ledger.add(child.pid)
  const member: Member = { child, text: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    member.text += text
  })
  child.stdin.on('error', () => undefined)
  return member
}

const line = (message: object): string => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`

function answerOf(member: Member, id: number): Record<string, unknown> | null {
  for (const text of member.text.split('\n').slice(0, -1)) {
    const message = JSON.parse(text) as { id?: number; result?: Record<string, unknown> }
    if (message.id === id) return (message.result?.['structuredContent'] ?? message) as Record<string, unknown>
  }
  return null
}

/**
 * Starts `count` true front ends at once, lets them load, and has each submit the same job with the same key at the same
 * moment and ask who leads.
 * @throws Error when not all have answered within `withinMs` after that
 */
export async function crowdOfFrontEnds(
  home: TemporaryHome,
  count: number,
  key: string,
  withinMs: number,
): Promise<readonly Answer[]> {
  const submit = { type: 'command', params: { argv: ['true'], cwd: '/tmp' }, idempotency_key: key }
  const members = Array.from({ length: count }, () => start(home, [distMain, 'mcp']))
  for (const { child } of members) {
    child.stdin.write(
      line({
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'crowd', version: '1' } },
      }),
    )
  }
  await waitUntil(() => members.every((member) => answerOf(member, 1) !== null), {
    timeoutMs: loadedWithinMs,
    intervalMs: 200,
    what: 'all loaded',
  })
  for (const { child } of members) {
    child.stdin.write(
      line({ method: 'notifications/initialized' }) +
        line({ id: 2, method: 'tools/call', params: { name: 'submit_job', arguments: submit } }) +
        line({ id: 3, method: 'tools/call', params: { name: 'queue_status', arguments: {} } }),
    )
  }
  await waitUntil(() => members.every((member) => answerOf(member, 2) !== null && answerOf(member, 3) !== null), {
    timeoutMs: withinMs,
    intervalMs: 200,
    what: `${count} front ends to answer`,
  })
  const answers = members.map((member) => {
    const submitted = answerOf(member, 2) ?? {}
    const { manager } = answerOf(member, 3) as { manager?: { pid: number; epoch: number } }
    if (typeof submitted['id'] !== 'string' || manager === undefined) throw new Error(`bad answers: ${member.text}`)
    return { id: submitted['id'], pid: manager.pid, epoch: manager.epoch }
  })
  for (const { child } of members) child.stdin.end()
  await waitUntil(() => members.every(({ child }) => child.exitCode !== null || child.signalCode !== null), {
    what: 'the front ends to end with their stdin',
  })
  return answers
}

/**
 * Starts `count` client processes, lets them load, and releases them at the same moment.
 * @throws Error when one of them got an error, or not all have answered within `withinMs` after their release
 */
export async function crowdOfClients(
  home: TemporaryHome,
  count: number,
  key: string,
  withinMs: number,
): Promise<{ readonly answers: readonly Answer[]; readonly slowestMs: number }> {
  const members = Array.from({ length: count }, () => start(home, [script, dist, home.home, key]))
  await waitUntil(() => members.every(({ text }) => text.startsWith('ready\n')), {
    timeoutMs: loadedWithinMs,
    what: 'all loaded',
  })
  const released = performance.now()
  for (const { child } of members) child.stdin.write('go\n')
  await waitUntil(() => members.every(({ text }) => text.split('\n').length === 3), {
    timeoutMs: withinMs,
    what: `${count} clients to answer`,
  })
  const slowestMs = performance.now() - released
  const answers = members.map(({ text }) => {
    const answer = JSON.parse(text.split('\n')[1] ?? '{}') as Answer & { error?: string }
    if (answer.error !== undefined) throw new Error(`a client got an error: ${answer.error}`)
    return answer
  })
  return { answers, slowestMs }
}
