/** What keys do, apart from what a browser does by itself: Tab, Enter and Space on buttons. */
export interface KeyIntents {
  /** To the next row, or the one before. */
  onMove(step: 1 | -1): void
  onSearch(): void
  /** One step back: the question, the search, the chosen job. */
  onEscape(): void
}

export interface Key {
  readonly key: string
  readonly isModified: boolean
  /** The focus is where text is typed. */
  readonly isTyping: boolean
  /** The focus is where arrows scroll. */
  readonly scrolls: boolean
}

/** @returns true when the key was meant for the board, which then has done it */
export function handleKey({ key, isModified, isTyping, scrolls }: Key, intents: KeyIntents): boolean {
  if (isModified) return false
  if (key === 'Escape') {
    intents.onEscape()
    return true
  }
  if (key === 'ArrowDown' && isTyping) {
    intents.onMove(1)
    return true
  }
  if (isTyping) return false
  if (key === '/') intents.onSearch()
  else if (key === 'j' || (key === 'ArrowDown' && !scrolls)) intents.onMove(1)
  else if (key === 'k' || (key === 'ArrowUp' && !scrolls)) intents.onMove(-1)
  else return false
  return true
}
