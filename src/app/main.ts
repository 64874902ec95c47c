import { createBoard } from './board.ts'
import { neighbour } from './board-state.ts'
import { connectHost, type Host } from './host.ts'
import { filterOfArguments } from './job-groups.ts'
import { handleKey } from './keyboard.ts'
import { createLiveFeed } from './live-feed.ts'
import { createHeader } from './render/header.ts'
import { createJobDetails } from './render/job-details.ts'
import { createJobList } from './render/job-list.ts'

/** Put in by the build. */
declare const nightkilnVersion: string

let host: Host | null = null

/** Sandboxed frames have no crypto.randomUUID in every browser. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return `board-${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

const board = createBoard({
  call: (name, input) => {
    if (host === null) throw new Error('no MCP client shows this page')
    return host.call(name, input)
  },
  onChange: () => scheduleRender(),
  onActed: () => feed.nudge(),
  tellModel: (text) => host?.tellModel(text),
  newIdempotencyKey: randomKey,
})

let lastSeen: string | null = null
const feed = createLiveFeed({
  look: () => board.look(),
  isVisible: () => document.visibilityState === 'visible',
  after(ms, call) {
    const timer = setTimeout(call, ms)
    return () => clearTimeout(timer)
  },
  onLive() {
    lastSeen = new Date().toISOString()
    board.change({ connection: { kind: 'live' } })
  },
  onLost: (reason, retryMs) => board.change({ connection: { kind: 'lost', reason, retryMs, since: lastSeen } }),
})

function select(jobId: string | null): void {
  board.select(jobId)
  feed.nudge()
}

const header = createHeader({
  onFilter(filter) {
    board.show(filter)
    feed.nudge()
  },
  onSearch(text) {
    board.search(text)
    feed.nudge()
  },
  onRetry: () => feed.nudge(),
  // A host that refuses leaves everything as it is.
  onDisplayMode: () => void host?.toggleDisplayMode().catch(() => {}),
})
const list = createJobList({
  onSelect(jobId) {
    select(jobId)
    render()
    // On a narrow page the list gives its place to the details.
    if (list.focused() === null || !isListShown()) details.focus()
  },
  onOlder() {
    board.showOlder()
    feed.nudge()
  },
})
const details = createJobDetails({
  onBack: () => goBack(),
  onOpen: (jobId) => select(jobId),
  onPress: (action) => void board.press(action),
  onConfirm: () => void board.confirm(),
  onKeep: () => board.keep(),
})

function isListShown(): boolean {
  return document.getElementById('list')?.offsetParent !== null
}

function goBack(): void {
  const { selected } = board.state
  select(null)
  render()
  if (selected !== null) list.focus(selected)
}

/** One step back: out of the question, the search field, the chosen job, the search. */
function stepBack(): void {
  const { search } = header
  const isSearching = document.activeElement === search
  if (board.state.confirming !== null) board.keep()
  else if (isSearching && search.value === '') search.blur()
  else if (!isSearching && board.state.selected !== null) goBack()
  else {
    search.value = ''
    board.search('')
    feed.nudge()
  }
}

document.addEventListener('keydown', (event) => {
  const focus = document.activeElement
  const isDone = handleKey(
    {
      key: event.key,
      isModified: event.ctrlKey || event.metaKey || event.altKey,
      isTyping: focus instanceof HTMLInputElement,
      scrolls: focus instanceof HTMLPreElement,
    },
    {
      onMove(step) {
        const next = neighbour(board.state, list.focused() ?? board.state.selected, step)
        if (next !== null) list.focus(next)
      },
      onSearch: () => header.search.focus(),
      onEscape: stepBack,
    },
  )
  if (isDone) event.preventDefault()
})

let isRenderWanted = false
function scheduleRender(): void {
  if (isRenderWanted) return
  isRenderWanted = true
  queueMicrotask(render)
}

function render(): void {
  isRenderWanted = false
  header.update(board.state)
  list.update(board.state)
  details.update(board.state)
}

async function start(): Promise<void> {
  render()
  if (window.parent === window) {
    board.change({ connection: { kind: 'alone', reason: 'It is shown by the tool list_jobs.' } })
    return
  }
  host = await connectHost(nightkilnVersion, {
    onArguments(given) {
      const text = given['text']
      if (typeof text === 'string' && header.search.value === '') {
        header.search.value = text
        board.search(text)
      }
      board.show(filterOfArguments(given))
      feed.nudge()
    },
    onToolResult: () => feed.nudge(),
    onLocale: (locale) => board.change({ locale }),
    onDisplayMode: (mode) => header.setDisplayMode(mode),
    onEnd: () => feed.stop(),
  })
  document.addEventListener('visibilitychange', () => feed.nudge())
  feed.nudge()
}

start().catch((error: unknown) => {
  const reason = error instanceof Error ? error.message : String(error)
  board.change({ connection: { kind: 'alone', reason } })
})
