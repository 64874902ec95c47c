const cursorUp = (lines: number) => `\u001b[${lines}A`
const clearLine = '\u001b[2K'
const clearBelow = '\u001b[0J'

/** A block of lines that is redrawn in place. Lines must be narrower than the terminal. */
export class LiveBlock {
  readonly #write: (text: string) => unknown
  #drawn: readonly string[] = []

  constructor(write: (text: string) => unknown) {
    this.#write = write
  }

  /** Replaces the lines drawn before; writes nothing when nothing changed. */
  draw(lines: readonly string[]): void {
    if (lines.length === this.#drawn.length && lines.every((line, index) => line === this.#drawn[index])) return
    const back = this.#drawn.length > 0 ? `\r${cursorUp(this.#drawn.length)}` : ''
    const shorter = lines.length < this.#drawn.length ? clearBelow : ''
    this.#write(`${back}${lines.map((line) => `${clearLine}${line}\n`).join('')}${shorter}`)
    this.#drawn = [...lines]
  }

  /** What was drawn stays; the next draw begins a new block. */
  end(): void {
    this.#drawn = []
  }
}
