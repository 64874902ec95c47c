import { shownWidth } from './text-width.ts'

const cursorUp = (lines: number) => `\u001b[${lines}A`
const clearLine = '\u001b[2K'
const clearBelow = '\u001b[0J'

/** A block of lines that is redrawn in place. Lines must be narrower than the terminal. */
export class LiveBlock {
  readonly #write: (text: string) => unknown
  readonly #columns: () => number
  #drawn: readonly string[] = []

  /** @param columns the width of the terminal now; it may change between two draws */
  constructor(write: (text: string) => unknown, columns: () => number) {
    this.#write = write
    this.#columns = columns
  }

  /** Replaces the lines drawn before; writes nothing when nothing changed. */
  draw(lines: readonly string[]): void {
    const rows = this.#rows()
    // A terminal that became narrower has broken the lines that were drawn into several rows each.
    const broken = rows !== this.#drawn.length
    const same = lines.length === this.#drawn.length && lines.every((line, index) => line === this.#drawn[index])
    if (same && !broken) return
    const back = rows > 0 ? `\r${cursorUp(rows)}${broken ? clearBelow : ''}` : ''
    const shorter = !broken && lines.length < this.#drawn.length ? clearBelow : ''
    this.#write(`${back}${lines.map((line) => `${clearLine}${line}\n`).join('')}${shorter}`)
    this.#drawn = [...lines]
  }

  /** What was drawn stays; the next draw begins a new block. */
  end(): void {
    this.#drawn = []
  }

  /** Rows of the screen that the last draw takes at the width of now. */
  #rows(): number {
    const columns = Math.max(1, this.#columns())
    return this.#drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(shownWidth(line) / columns)), 0)
  }
}
