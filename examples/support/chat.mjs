import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/**
 * Opens a chat: an MCP client with its server, in a process group of its own as an app is.
 * @returns {call, kill, close}: `call` gives a tool's answer and throws its error text; `kill` is kill -9 of client and server
 */
export async function openChat(environment, cwd) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./chat-process.mjs', import.meta.url))], {
    cwd,
    env: environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const waiting = new Map()
  void exited.then(() => {
    for (const { reject } of waiting.values()) reject(new Error('the chat was ended'))
  })
  const lines = createInterface({ input: child.stdout })
  await Promise.race([
    once(lines, 'line'),
    exited.then(() => Promise.reject(new Error('the MCP client did not start'))),
  ])
  lines.on('line', (line) => {
    const { id, isError, text } = JSON.parse(line)
    const caller = waiting.get(id)
    waiting.delete(id)
    if (isError) caller.reject(new Error(text))
    else caller.resolve(JSON.parse(text))
  })
  let lastId = 0
  return {
    call: (tool, input = {}) =>
      new Promise((resolve, reject) => {
        lastId += 1
        waiting.set(lastId, { resolve, reject })
        child.stdin.write(`${JSON.stringify({ id: lastId, tool, input })}\n`)
      }),
    async kill() {
      process.kill(-child.pid, 'SIGKILL')
      await exited
    },
    async close() {
      if (child.exitCode === null && child.signalCode === null) child.stdin.end()
      await exited
    },
  }
}
