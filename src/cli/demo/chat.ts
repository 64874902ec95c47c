import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const message = z.union([
  z.object({ ready: z.literal(true), server_pid: z.int() }),
  z.object({ id: z.int(), is_error: z.boolean(), text: z.string() }),
])

/** A real MCP client in a process group of its own, as an assistant's app is. */
export interface Chat {
  readonly pid: number
  readonly serverPid: number
  /** @throws Error with the tool's error text */
  call(tool: string, input: object): Promise<unknown>
  /** SIGKILL to the whole process group: client and server die at once. */
  killGroup(): Promise<void>
  close(): Promise<void>
}

/** Starts a client and its server over stdio and waits until they have shaken hands. */
export async function openChat(environment: NodeJS.ProcessEnv): Promise<Chat> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./chat-main.js', import.meta.url))], {
    env: environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  const exited = once(child, 'exit')
  void exited.then(() => {
    for (const { reject } of waiting.values()) reject(new Error('the chat was killed'))
  })
  const serverPid = await new Promise<number>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the MCP client could not start')))
    createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> }).on('line', (line) => {
      const parsed = message.parse(JSON.parse(line))
      if ('ready' in parsed) {
        resolve(parsed.server_pid)
        return
      }
      const caller = waiting.get(parsed.id)
      waiting.delete(parsed.id)
      if (parsed.is_error) caller?.reject(new Error(parsed.text))
      else caller?.resolve(JSON.parse(parsed.text))
    })
  })
  let lastId = 0
  const pid = child.pid as number
  return {
    pid,
    serverPid,
    call: (tool, input) =>
      new Promise((resolve, reject) => {
        lastId += 1
        waiting.set(lastId, { resolve, reject })
        child.stdin?.write(`${JSON.stringify({ id: lastId, tool, arguments: input })}\n`)
      }),
    async killGroup() {
      process.kill(-pid, 'SIGKILL')
      await exited
    },
    async close() {
      child.stdin?.end()
      await exited
    },
  }
}
