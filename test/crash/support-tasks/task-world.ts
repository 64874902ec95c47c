import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { type FrontEnd, frontEndCommand, type Message, startFrontEnd } from '../../protocol/support/front-end.ts'
import { envelope, type ModernClient, type ModernOptions, modernClient } from '../../protocol/support/modern-client.ts'
import { killManager } from '../../support/manager-process.ts'
import { isAlive } from '../../support/proc.ts'
import { type TemporaryHome, useTemporaryHome } from '../../support/temporary-home.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { type GatedCommand, gatedCommand } from '../support-a/gated-command.ts'

export type Shape = Record<string, unknown>

const clientProgram = fileURLToPath(new URL('dying-client.mjs', import.meta.url))

/** A client that speaks 2026-07-28 and takes tasks, with a front end of its own. */
export interface Connected {
  readonly frontEnd: FrontEnd
  readonly client: ModernClient
}

export interface TaskWorld {
  readonly home: TemporaryHome
  /** Outside the state directory. */
  readonly directory: string
  gated(name: string): GatedCommand
  connect(): Connected
  /**
   * Calls a tool from a client process of its own, and kills that client, its front end and the manager with SIGKILL once it
   * has the answer.
   * @returns the answer
   */
  callAndDie(tool: string, input: Shape): Promise<Message>
}

export function useTaskWorld(): TaskWorld {
  const directory = mkdtempSync(join(tmpdir(), 'nk-tasks-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const home = useTemporaryHome()
  return {
    home,
    directory,
    gated: (name) => gatedCommand(directory, name),
    connect() {
      const frontEnd = startFrontEnd(home)
      return { frontEnd, client: modernClient(frontEnd) }
    },
    async callAndDie(tool, input) {
      const client = spawn(process.execPath, [clientProgram, ...frontEndCommand], { env: { ...home.environment } })
      home.ledger.add(client.pid)
      let stdout = ''
      client.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
      })
      const params = { name: tool, arguments: input, _meta: envelope() }
      client.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 'only', method: 'tools/call', params })}\n`)
      const line = await waitUntil(() => stdout.includes('\n') && stdout, { what: `an answer to ${tool}` })
      const { front_end_pid, answer } = JSON.parse(line) as { front_end_pid: number; answer: Message }
      home.ledger.add(front_end_pid)
      client.kill('SIGKILL')
      // It may have noticed the death of its client by itself.
      if (isAlive(front_end_pid)) process.kill(front_end_pid, 'SIGKILL')
      await killManager(home.home)
      await waitUntil(() => !isAlive(front_end_pid), { what: 'the front end to be gone' })
      return answer
    },
  }
}

export function resultOf(message: Message): Shape {
  expect(message.error, JSON.stringify(message.error)).toBeUndefined()
  return message.result as Shape
}

/** @returns the id of the task that a call was answered with */
export function taskIdOf(message: Message): string {
  const handle = resultOf(message)
  expect(handle).toMatchObject({ resultType: 'task', status: 'working', taskId: expect.any(String) })
  return handle['taskId'] as string
}

/** Polls as clients do, until the task is as wanted. */
export async function untilStatus(
  { client }: Connected,
  taskId: string,
  status: string,
  options?: ModernOptions,
): Promise<Shape> {
  return await waitUntil(
    async () => {
      const task = resultOf(await client.request('tasks/get', { taskId }, options))
      return task['status'] === status ? task : null
    },
    { what: `the task to be ${status}` },
  )
}

export async function structured(answer: Promise<Message>): Promise<Shape> {
  const result = resultOf(await answer)
  expect(result['isError'] ?? false, JSON.stringify(result['content'])).toBe(false)
  return result['structuredContent'] as Shape
}
