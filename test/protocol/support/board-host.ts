import { join } from 'node:path'
import { build } from 'esbuild'
import { expect } from 'vitest'
import type { McpStdioClient } from '../../support/mcp-stdio-client.ts'
import { repositoryRoot } from '../../support/repository.ts'
import type { Browser, Frame, Page } from './browser.ts'

export interface RelayedCall {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
}

type RelayedAnswer = Awaited<ReturnType<McpStdioClient['client']['callTool']>>

export interface ShownBoard {
  readonly page: Page
  /** The App itself, in its sandboxed frame. */
  readonly frame: Frame
  /** Tool calls that it made, in order. */
  readonly calls: readonly RelayedCall[]
  /** What it told the model. */
  readonly told: readonly string[]
  /** Takes the place of the server until it is set back to null; a throw is a host that gives no answer. */
  intercept(relay: ((call: RelayedCall) => Promise<RelayedAnswer | null>) | null): void
  /** Closes the page and demands that it asked nothing of the network and had no error. */
  close(): Promise<void>
}

export interface BoardOptions {
  readonly server: McpStdioClient
  readonly html: string
  readonly context?: Readonly<Record<string, unknown>>
  readonly width?: number
}

let bundled: Promise<string> | undefined

/** The host's own script: the official bridge, in one piece. */
function hostScript(): Promise<string> {
  bundled ??= build({
    entryPoints: [join(repositoryRoot, 'tools', 'browser', 'host.js')],
    nodePaths: [join(repositoryRoot, 'node_modules')],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    logLevel: 'error',
  }).then(({ outputFiles }) => outputFiles[0]?.text ?? '')
  return bundled
}

/** Shows the board in a page of a browser, joined to a real server. */
export async function showBoard(browser: Browser, options: BoardOptions): Promise<ShownBoard> {
  const { server, html, context = { theme: 'light', locale: 'en-GB', timeZone: 'UTC' }, width = 900 } = options
  const page = await browser.newPage()
  page.setDefaultTimeout(20_000)
  const requests: string[] = []
  const problems: string[] = []
  const calls: RelayedCall[] = []
  const told: string[] = []
  let intercepted: ((call: RelayedCall) => Promise<RelayedAnswer | null>) | null = null
  page.on('request', (request) => requests.push(request.url()))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(error.message))
  await page.setViewportSize({ width, height: 760 })
  await page.exposeFunction('hostCallTool', async ({ name, arguments: given }: RelayedCall) => {
    calls.push({ name, arguments: given })
    return (
      (await intercepted?.({ name, arguments: given })) ?? server.client.callTool({ name, arguments: { ...given } })
    )
  })
  await page.exposeFunction('hostToldModel', (params: { readonly content: readonly { readonly text: string }[] }) => {
    told.push(...params.content.map(({ text }) => text))
  })
  await page.setContent('<!doctype html><html><body style="margin: 0"></body></html>')
  await page.addScriptTag({ content: await hostScript() })
  await page.evaluate(`showApp(${JSON.stringify(html)}, ${JSON.stringify(context)})`)
  const frame = page.frames().find((one) => one !== page.mainFrame())
  if (frame === undefined) throw new Error('the page has no frame')
  return {
    page,
    frame,
    calls,
    told,
    intercept: (relay) => {
      intercepted = relay
    },
    async close() {
      await page.close()
      expect(requests).toEqual([])
      expect(problems).toEqual([])
    },
  }
}
