import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { repositoryRoot } from '../../support/repository.ts'

const folder = join(repositoryRoot, 'tools', 'browser')
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** What the tests use of playwright-core, which is not installed with the product. */
export interface Locator {
  readonly first: () => Locator
  locator(selector: string): Locator
  filter(options: { readonly hasText: string | RegExp }): Locator
  count(): Promise<number>
  click(): Promise<void>
  fill(text: string): Promise<void>
  focus(): Promise<void>
  press(key: string): Promise<void>
  textContent(): Promise<string | null>
  allTextContents(): Promise<readonly string[]>
  isVisible(): Promise<boolean>
  getAttribute(name: string): Promise<string | null>
  waitFor(): Promise<void>
}

export interface Frame {
  locator(selector: string): Locator
  evaluate<Value>(expression: string): Promise<Value>
}

export interface Page extends Frame {
  on(event: 'request', listen: (request: { url(): string }) => void): void
  on(event: 'console', listen: (message: { type(): string; text(): string }) => void): void
  on(event: 'pageerror', listen: (error: Error) => void): void
  frames(): readonly Frame[]
  mainFrame(): Frame
  setViewportSize(size: { readonly width: number; readonly height: number }): Promise<void>
  setContent(html: string): Promise<void>
  addScriptTag(script: { readonly content: string }): Promise<unknown>
  exposeFunction(name: string, run: (given: never) => unknown): Promise<void>
  setDefaultTimeout(ms: number): void
  screenshot(options: { readonly path: string }): Promise<unknown>
  close(): Promise<void>
}

export interface Browser {
  newPage(): Promise<Page>
  close(): Promise<void>
}

interface Playwright {
  readonly chromium: {
    launch(options: { readonly executablePath: string; readonly args: readonly string[] }): Promise<Browser>
  }
}

/** @returns the Chromium of this machine; null when there is none */
export function findChromium(): string | null {
  const own = process.env['CHROMIUM']
  return [own, ...places].find((path) => path !== undefined && existsSync(path)) ?? null
}

/** Starts a headless Chromium; what drives it is installed from its lock file where it is missing. */
export async function launchBrowser(executablePath: string): Promise<Browser> {
  if (!existsSync(join(folder, 'node_modules', 'playwright-core'))) {
    const install = spawnSync('npm', ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund'], {
      encoding: 'utf8',
    })
    if (install.status !== 0) throw new Error(`npm ci in tools/browser failed:\n${install.stdout}${install.stderr}`)
  }
  const { chromium } = createRequire(join(folder, 'package.json'))('playwright-core') as Playwright
  // Everything it shows is our own page; the sandbox of Chromium does not start for root.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}
