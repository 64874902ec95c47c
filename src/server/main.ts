import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Server } from '@modelcontextprotocol/server'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { createBoundedReport } from './bounded-report.ts'
import { createFrontEnd } from './container.ts'
import { watchForExit } from './exit-watch.ts'
import { takeProtocolOutput } from './protocol-output.ts'
import type { Connection } from './served.ts'
import { guardInput, maxMessageBytes } from './stdio-guard.ts'
import { createAnnouncer } from './subscriptions/announcer.ts'
import { serverTarget } from './subscriptions/register-subscriptions.ts'
import { withSubscriptions } from './subscriptions/stdio-subscriptions.ts'
import { countUnansweredRequests } from './unanswered-requests.ts'

/** Once stdin has ended, calls in flight get this long to be answered, in ms. */
const lastAnswersMs = 500
const lastAnswersCheckMs = 20

/** Requests that may wait for their answers at once; the others wait unread. More than the long polls that are allowed. */
const mostUnanswered = 512

/** Who speaks over stdio: whoever started this process. */
const localPrincipal = 'local'

const report = createBoundedReport((line) => process.stderr.write(line))

/** @returns what a person who started this in a terminal should know; null when a client did. */
export function terminalNotice(stdin: { readonly isTTY?: boolean | undefined }): string | null {
  if (stdin.isTTY !== true) return null
  return 'nightkiln mcp speaks MCP on stdin and is started by MCP clients. Ctrl-C ends it. To set up a client: nightkiln setup'
}

/**
 * Serves MCP on stdin and stdout until the client is gone, then ends the process with code 0. The promise resolves
 * just before that.
 */
export function runMcpServer(): Promise<void> {
  // A closed stderr must not end the front end: the client would not restart it.
  process.stderr.on('error', () => {})
  process.on('uncaughtException', report)
  process.on('unhandledRejection', report)

  const notice = terminalNotice(process.stdin)
  if (notice !== null) process.stderr.write(`${notice}\n`)

  return new Promise((resolve) => {
    const output = takeProtocolOutput()
    const frontEnd = createFrontEnd()
    let left = false
    const leave = () => {
      if (left) return
      left = true
      stopWatching()
      frontEnd.abort()
      resolve()
      process.exit(0)
    }
    const stopWatching = watchForExit(leave)
    process.stdout.on('error', leave)
    process.stdout.on('close', leave)
    output.stream.on('error', leave)

    const input = guardInput({
      stdin: process.stdin,
      output: output.stream,
      isFull: () => unanswered() >= mostUnanswered,
      onInputEnd: () => setTimeout(leave, lastAnswersMs),
      onHandedOn: () => {
        setInterval(() => {
          if (unanswered() === 0 && output.stream.writableLength === 0) leave()
        }, lastAnswersCheckMs)
      },
    })
    // The guard lets no larger message through; a few messages of that size may be handed on at once.
    const transport = new StdioServerTransport(input.stream, output.stream, { maxBufferSize: 64 * maxMessageBytes })
    let server: Server | null = null
    const announcer = createAnnouncer({ ...frontEnd.parts, target: serverTarget(() => server) })
    const local = (era: Connection['era']): Connection => ({ era, principal: localPrincipal })
    serveStdio(
      ({ era }) => {
        server = frontEnd.createServer(local(era))
        return server
      },
      { transport: withSubscriptions(transport, announcer, local('modern')), onerror: report },
    )
    const unanswered = countUnansweredRequests(transport, input.proceed)
  })
}

function startedDirectly(): boolean {
  try {
    return realpathSync(process.argv[1] ?? '') === fileURLToPath(import.meta.url)
  } catch {
    return false
  }
}

if (startedDirectly()) await runMcpServer()
