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
  /** Calls of tools so far. */
  calls: number
}

function start(home: TemporaryHome, args: readonly string[]): Member {
  const child = spawn(process.execPath, [...args], { env: { ...home.environment }, stdio: ['pipe', 'pipe', 'pipe'] })
  home.ledger.add(child.pid)
  const member: Member = { child, text: '', calls: 0 }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    member.text += text
  })
  child.stdin.on('error', () => undefined)
  return member
}

const line = (message: object): string => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`

type Result = Readonly<Record<string, unknown>>

function resultOf(member: Member, id: number): Result | null {
  for (const text of member.text.split('\n').slice(0, -1)) {
    const message = JSON.parse(text) as { id?: number; result?: Result }
    if (message.id === id) return message.result ?? message
  }
  return null
}

/**
 * Calls a tool, again when no manager was ready in time, as the answer says.
 * @throws Error for any other error, or when there is no answer before the deadline
 */
async function persist(member: Member, name: string, input: object, deadline: number): Promise<Result> {
  for (;;) {
    member.calls += 1
    const id = member.calls
    member.child.stdin.write(line({ id, method: 'tools/call', params: { name, arguments: input } }))
    const result = await waitUntil(() => resultOf(member, id), {
      timeoutMs: deadline - performance.now(),
      intervalMs: 200,
      what: `an answer to ${name}`,
    })
    if (result['isError'] !== true && result['structuredContent'] !== undefined)
      return result['structuredContent'] as Result
    const text = JSON.stringify(result)
    if (!text.includes('manager_unavailable: the manager did not become ready')) throw new Error(`bad answer: ${text}`)
  }
}

/**
 * Starts `count` true front ends at once, lets them load, and has each submit the same job with the same key at the same
 * moment and then ask who leads.
 * @throws Error when one of them got another error than that no manager was ready in time, or not all have answered within
 * `withinMs` after that moment
 */
export async function crowdOfFrontEnds(
  home: TemporaryHome,
  count: number,
  key: string,
  withinMs: number,
): Promise<{ readonly answers: readonly Answer[]; readonly repeatedCalls: number }> {
  const submit = { type: 'command', params: { argv: ['true'], cwd: '/tmp' }, idempotency_key: key }
  const members = Array.from({ length: count }, () => start(home, [distMain, 'mcp']))
  const clientInfo = { name: 'crowd', version: '1' }
  for (const { child } of members) {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
    child.stdin.write(line({ id: 0, method: 'initialize', params }))
  }
  await waitUntil(() => members.every((member) => resultOf(member, 0) !== null), {
    timeoutMs: loadedWithinMs,
    intervalMs: 200,
    what: 'all loaded',
  })
  const deadline = performance.now() + withinMs
  const answers = await Promise.all(
    members.map(async (member) => {
      member.child.stdin.write(line({ method: 'notifications/initialized' }))
      const submitted = (await persist(member, 'submit_job', submit, deadline)) as { id: string }
      const status = (await persist(member, 'queue_status', {}, deadline)) as { manager: Omit<Answer, 'id'> }
      return { id: submitted.id, pid: status.manager.pid, epoch: status.manager.epoch }
    }),
  )
  for (const { child } of members) child.stdin.end()
  await waitUntil(() => members.every(({ child }) => child.exitCode !== null || child.signalCode !== null), {
    timeoutMs: 60_000,
    what: 'the front ends to end with their stdin',
  })
  return { answers, repeatedCalls: members.reduce((sum, { calls }) => sum + calls - 2, 0) }
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
