import type { BoardState, ConnectionState } from '../board-state.ts'
import { type Filter, filterLabels, filters } from '../job-groups.ts'
import { filterCounts } from '../known-jobs.ts'
import { durationText, type Locale, timeText } from '../shown-text.ts'
import { button, byId, element, setAttribute, setClass, setShown, setText } from './elements.ts'

export interface HeaderIntents {
  onFilter(filter: Filter): void
  onSearch(text: string): void
  onRetry(): void
  onDisplayMode(): void
}

export interface Header {
  readonly search: HTMLInputElement
  update(state: BoardState): void
  setDisplayMode(mode: { readonly isFull: boolean; readonly mayChange: boolean }): void
}

const searchDelayMs = 250

function connectionText(connection: ConnectionState, locale: Locale): string {
  switch (connection.kind) {
    case 'connecting':
      return 'Connecting …'
    case 'live':
      return 'Live'
    case 'lost': {
      const retry = `Connection lost, next try in ${durationText(connection.retryMs / 1000)}.`
      const since = connection.since === null ? '' : ` What you see is as of ${timeText(connection.since, locale)}.`
      return `${retry}${since} Reason: ${connection.reason}`
    }
    case 'alone':
      return `No MCP client shows this page, so nothing can be read. ${connection.reason}`
  }
}

/** Connection, search and filters: elements that are in the page from the beginning. */
export function createHeader(intents: HeaderIntents): Header {
  const connection = byId('connection', HTMLParagraphElement)
  const retry = byId('retry', HTMLButtonElement)
  const displayMode = byId('display-mode', HTMLButtonElement)
  const search = byId('search', HTMLInputElement)
  const group = byId('filters', HTMLFieldSetElement)
  const counts = new Map<Filter, { readonly chip: HTMLButtonElement; readonly count: HTMLElement }>()

  for (const filter of filters) {
    const count = element('span', { class: 'count' })
    const chip = button(filterLabels[filter], () => intents.onFilter(filter), `chip ${filter}`)
    chip.append(' ', count)
    counts.set(filter, { chip, count })
    group.append(chip)
  }

  let timer: ReturnType<typeof setTimeout> | undefined
  search.addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(() => intents.onSearch(search.value), searchDelayMs)
  })
  retry.addEventListener('click', () => intents.onRetry())
  displayMode.addEventListener('click', () => intents.onDisplayMode())

  return {
    search,
    update(state) {
      setText(connection, connectionText(state.connection, state.locale))
      setClass(connection, state.connection.kind)
      setShown(retry, state.connection.kind === 'lost')
      const shown = filterCounts(state.seen.known)
      for (const [filter, { chip, count }] of counts) {
        setText(count, state.isLoaded ? shown[filter] : '')
        setAttribute(chip, 'aria-pressed', String(filter === state.filter))
        chip.classList.toggle('some', state.isLoaded && shown[filter] !== '0')
      }
    },
    setDisplayMode({ isFull, mayChange }) {
      setShown(displayMode, mayChange)
      setText(displayMode, isFull ? 'Back to the chat' : 'Full screen')
      document.body.classList.toggle('full', isFull)
    },
  }
}
