import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { JobView } from '../../src/domain/wire/shared.ts'
import { connectStdio, type McpStdioClient } from '../support/mcp-stdio-client.ts'
import { makeTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { type BoardOptions, type ShownBoard, showBoard } from './support/board-host.ts'
import { type Browser, findChromium, type Locator, launchBrowser } from './support/browser.ts'

const chromium = findChromium()
const boardUri = 'ui://nightkiln/board'

let home: ReturnType<typeof makeTemporaryHome>
let folder: string
/** What the host of the board talks to, and somebody else with the same queue. */
let server: McpStdioClient
let other: McpStdioClient
let browser: Browser
let html: string

beforeAll(async () => {
  if (chromium === null) return
  home = makeTemporaryHome()
  folder = mkdtempSync(join(tmpdir(), 'nk-board-'))
  const options = { environment: home.environment, ledger: home.ledger, cwd: folder }
  ;[browser, server, other] = await Promise.all([launchBrowser(chromium), connectStdio(options), connectStdio(options)])
  const { contents } = await server.client.readResource({ uri: boardUri })
  html = (contents[0] as { text: string }).text
})

afterAll(async () => {
  if (chromium === null) return
  await browser.close()
  await Promise.all([server.close(), other.close()])
  await home.remove()
  rmSync(folder, { recursive: true, force: true })
})

beforeEach(({ skip }) => {
  skip(chromium === null, 'no Chromium: install the package chromium, or name one in CHROMIUM')
})

async function openBoard(options: Partial<BoardOptions> = {}): Promise<ShownBoard> {
  const board = await showBoard(browser, { server, html, ...options })
  onTestFinished(() => board.close())
  await shows(board.frame.locator('#connection'), 'Live')
  return board
}

/** Submits from elsewhere. @returns the id */
async function submit(input: Readonly<Record<string, unknown>>): Promise<string> {
  return (await other.callOk<{ id: string }>('submit_job', input)).id
}

/** A command that prints, waits for a file and goes on: the test says when. */
function steps(name: string, ...parts: readonly string[]): Readonly<Record<string, unknown>> {
  const script = parts.join(`\nuntil [ -e ${name}.$step ]; do sleep 0.05; done; step=$((step + 1))\n`)
  return { type: 'command', name, params: { shell: true, script: `step=1\n${script}`, cwd: folder } }
}

function release(name: string, step: number): void {
  writeFileSync(join(folder, `${name}.${step}`), '')
}

async function stateOf(id: string): Promise<JobView> {
  const { jobs } = await other.callOk<{ jobs: readonly JobView[] }>('job_status', { ids: [id] })
  const [job] = jobs
  if (job === undefined) throw new Error(`no job ${id}`)
  return job
}

async function shows(locator: Locator, text: string | RegExp): Promise<void> {
  await waitUntil(
    async () => {
      const shown = (await locator.first().textContent()) ?? ''
      if (typeof text === 'string' ? shown.includes(text) : text.test(shown)) return true
      throw new Error(shown)
    },
    { what: `"${text}" on the board` },
  )
}

const row = (board: ShownBoard, name: string): Locator => board.frame.locator('.row').filter({ hasText: name })
const details = (board: ShownBoard): Locator => board.frame.locator('#details')
const press = (board: ShownBoard, label: string): Promise<void> =>
  details(board).locator('button:visible').filter({ hasText: label }).first().click()

describe('the board in a browser', () => {
  test('shows a job that somebody else submits, and its progress and output as they come', async () => {
    const board = await openBoard()
    await submit(steps('moving', 'echo progress: 10/100 warming', 'echo progress: 70/100 firing', 'echo cooled'))
    await shows(row(board, 'moving').locator('.facts'), '10 %')
    await row(board, 'moving').click()
    await shows(details(board).locator('.log'), 'warming')
    expect(await details(board).locator('[role=progressbar]').getAttribute('aria-valuenow')).toBe('10')
    release('moving', 1)
    await shows(row(board, 'moving').locator('.facts'), '70 %')
    await shows(details(board).locator('.log'), 'firing')
    release('moving', 2)
    await shows(row(board, 'moving').locator('.state'), 'completed')
    await shows(details(board).locator('.log'), 'cooled')
  })

  test('cancels in two steps, and only then', async () => {
    const id = await submit(steps('doomed', 'echo started', 'echo never'))
    const board = await openBoard()
    await row(board, 'doomed').click()
    await press(board, 'Cancel')
    await shows(details(board).locator('.confirm'), 'This cannot be undone')
    await press(board, 'Let it go on')
    expect(board.calls.filter(({ name }) => name === 'cancel_job')).toEqual([])
    expect((await stateOf(id)).final).toBe(false)
    await press(board, 'Cancel')
    await press(board, 'Yes, cancel it')
    await shows(row(board, 'doomed').locator('.state'), 'cancelled')
    expect((await stateOf(id)).state).toBe('cancelled')
    expect(board.calls.filter(({ name }) => name === 'cancel_job')).toEqual([
      { name: 'cancel_job', arguments: { ids: [id] } },
    ])
    expect(board.told).toEqual([expect.stringContaining(`cancel_job {"ids":["${id}"]}`)])
    await press(board, 'Re-run')
    await shows(details(board).locator('.notice'), 'Submitted again')
    await press(board, 'Show it')
    await shows(details(board).locator('.job-facts'), `Re-run of${id}`)
    await press(board, 'Cancel')
    await press(board, 'Yes, cancel it')
    await shows(details(board).locator('.state'), 'cancelled')
  })

  test('pauses and resumes', async () => {
    const id = await submit({ ...steps('later', 'true'), run_at: '2099-01-01T00:00:00Z' })
    const board = await openBoard()
    await row(board, 'later').click()
    await press(board, 'Pause')
    await shows(details(board).locator('.state'), 'paused')
    expect((await stateOf(id)).state).toBe('paused')
    await press(board, 'Resume')
    await shows(details(board).locator('.state'), 'scheduled')
    expect((await stateOf(id)).state).toBe('scheduled')
  })

  test('shows what a test phase gave, and approves the rest', async () => {
    const script = `printf '{"cost":0.5,"unit":"%s"}' "$NIGHTKILN_UNIT" > "$NIGHTKILN_RESULT"`
    const id = await submit({
      type: 'command',
      name: 'held batch',
      params: { shell: true, script, cwd: folder },
      units: ['a', 'b', 'c'],
      test_first: 1,
    })
    const board = await openBoard()
    await board.frame.locator('.chip.needs_you').click()
    await row(board, 'held batch').click()
    const review = details(board).locator('.review')
    await shows(review, '1 of 1 test unit completed')
    await shows(review, '2 units still to run')
    await shows(review, '"cost":0.5')
    await press(board, 'Approve the other 2 units')
    await waitUntil(async () => (await stateOf(id)).state === 'completed')
    await shows(details(board).locator('.state'), 'completed')
    expect((await stateOf(id)).counts).toMatchObject({ total: 3, completed: 3 })
  })

  test('offers no decision about a permission', async () => {
    const id = await submit({ ...steps('permitted', 'true'), units: ['a', 'b'], test_first: 1 })
    await waitUntil(async () => (await stateOf(id)).state === 'awaiting_approval')
    const board = await openBoard()
    // No job type asks for one yet: the answer of the real server without its review is what such a hold looks like.
    board.intercept(async ({ name, arguments: given }) => {
      if (name !== 'job_status') return null
      const { structured } = await server.call(name, given)
      const jobs = (structured as { jobs: readonly JobView[] }).jobs.map(({ review: _, ...job }) => job)
      return { content: [], structuredContent: { ...structured, jobs } }
    })
    await row(board, 'permitted').click()
    await shows(details(board).locator('.permission'), `nightkiln approve ${id}`)
    expect(await details(board).locator('.actions button').allTextContents()).toEqual(['Cancel'])
  })

  test('shows hostile names and output as text, and runs none of it', async () => {
    const evil = `<img src=x onerror="window.pwned=1"><script>window.pwned=2</script>`
    const script = `printf '%s\\n' '${evil}'; printf '\\033[31mred\\033[0m \\a\\n'; printf '"%s"' '<b>bold</b>' > "$NIGHTKILN_RESULT"`
    const id = await submit({ type: 'command', name: evil, params: { shell: true, script, cwd: folder } })
    await waitUntil(async () => (await stateOf(id)).final)
    const board = await openBoard()
    await row(board, 'window.pwned=1').click()
    await shows(details(board).locator('.log'), `${evil}\n\\x1b[31mred\\x1b[0m \\x07`)
    await shows(details(board).locator('.result'), '<b>bold</b>')
    expect(await details(board).locator('h2').textContent()).toBe(evil)
    expect(await row(board, 'window.pwned=1').locator('.name').textContent()).toBe(evil)
    expect(await board.frame.locator('img, main script, main b, iframe').count()).toBe(0)
    expect(await board.frame.evaluate('window.pwned')).toBeUndefined()
  })

  test('says that the connection is lost and why, keeps what it shows, and recovers', async () => {
    await submit({ ...steps('kept', 'true'), run_at: '2099-01-01T00:00:00Z' })
    const board = await openBoard()
    await row(board, 'kept').click()
    await shows(details(board).locator('.actions'), 'Pause')
    board.intercept(() => Promise.reject(new Error('the server has gone')))
    await shows(board.frame.locator('#connection'), /Connection lost, next try in .*the server has gone/)
    expect(await row(board, 'kept').count()).toBe(1)
    await press(board, 'Pause')
    await shows(details(board).locator('.notice.bad'), /Pause did not reach the queue: .*the server has gone/)
    const text = 'manager_unavailable: the manager gave no answer. Run nightkiln doctor.'
    board.intercept(async () => ({ isError: true, content: [{ type: 'text', text }] }))
    await board.frame.locator('#retry').click()
    await shows(board.frame.locator('#connection'), text)
    board.intercept(null)
    await board.frame.locator('#retry').click()
    await shows(board.frame.locator('#connection'), 'Live')
    expect(await board.frame.locator('#retry').isVisible()).toBe(false)
  })

  test('opens with what was asked for in the chat', async () => {
    const board = await openBoard()
    const asked = JSON.stringify({ states: ['failed'], text: 'nothing like this' })
    await board.page.evaluate(`openedBy(${asked}, { content: [] })`)
    await shows(board.frame.locator('#empty'), 'No job matches "nothing like this"')
    expect(await board.frame.locator('.chip.failed').getAttribute('aria-pressed')).toBe('true')
  })

  test('may reach nothing: its own policy refuses every request', async () => {
    const board = await showBoard(browser, { server, html })
    const refused = async (attempt: string): Promise<string> =>
      board.frame.evaluate(`new Promise((resolve) => {
        document.addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), { once: true })
        setTimeout(() => resolve('nothing was refused'), 2_000)
        ${attempt}
      })`)
    const address = 'http://127.0.0.1:9/'
    expect(await refused(`fetch('${address}').catch(() => {})`)).toBe('connect-src')
    expect(await refused(`import('${address}x.js').catch(() => {})`)).toBe('script-src-elem')
    expect(await refused(`new Image().src = '${address}x.png'`)).toBe('img-src')
    await board.page.close()
    expect(html).toContain("default-src 'none'; script-src 'sha256-")
    expect(html).not.toMatch(/unsafe-|<link|\bsrc="/)
  })

  test('is used with the keyboard alone, on 320 pixels, in the dark', async () => {
    await submit({ ...steps('first key', 'true'), run_at: '2099-01-01T00:00:00Z' })
    await submit({ ...steps('second key', 'true'), run_at: '2099-01-01T00:00:00Z' })
    const board = await openBoard({ context: { theme: 'dark' }, width: 320 })
    const keyboard = board.frame.locator('body')
    await keyboard.press('/')
    await board.frame.locator('#search').fill('key')
    await waitUntil(async () => (await board.frame.locator('.row').count()) === 2)
    const focused = 'document.activeElement.querySelector(".name")?.textContent ?? document.activeElement.tagName'
    await board.frame.locator('#search').press('ArrowDown')
    expect(await board.frame.evaluate(focused)).toBe('second key')
    await keyboard.press('j')
    expect(await board.frame.evaluate(focused)).toBe('first key')
    await keyboard.press('k')
    await keyboard.press('Enter')
    await shows(details(board).locator('h2'), 'second key')
    expect(await board.frame.locator('#list').isVisible()).toBe(false)
    expect(await board.frame.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
    await keyboard.press('Escape')
    await waitUntil(async () => (await board.frame.locator('#search').isVisible()) === true)
    await keyboard.press('Escape')
    expect(await board.frame.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
    const colour = 'getComputedStyle(document.body).backgroundColor'
    expect(await board.frame.evaluate(colour)).toBe('rgb(27, 27, 30)')
    await board.page.evaluate(`changeContext({ theme: 'light' })`)
    await waitUntil(async () => (await board.frame.evaluate(colour)) === 'rgb(255, 255, 255)')
  })
})

test('the board is a resource that hosts know as an App', async () => {
  const { resources } = await server.client.listResources()
  const listed = resources.find(({ uri }) => uri === boardUri)
  expect(listed).toMatchObject({ mimeType: 'text/html;profile=mcp-app', _meta: { ui: { prefersBorder: true } } })
  const { contents } = await server.client.readResource({ uri: boardUri })
  expect(contents).toHaveLength(1)
  expect(contents[0]).toMatchObject({ uri: boardUri, mimeType: 'text/html;profile=mcp-app', _meta: listed?._meta })
})
