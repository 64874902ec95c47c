/** A checkpoint is one line, of at most 16 MiB. */
const longest = 17 * 1024 * 1024

/** Cuts text that comes in pieces into lines. */
export class LineReader {
  readonly #take: (line: string) => void
  #pieces: string[] = []
  #length = 0

  constructor(take: (line: string) => void) {
    this.#take = take
  }

  add(text: string): void {
    let from = 0
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
      this.#keep(text.slice(from, at))
      this.end()
      from = at + 1
    }
    this.#keep(text.slice(from))
    // What never ends is told in pieces.
    if (this.#length > longest) this.end()
  }

  /** Nothing more comes. */
  end(): void {
    if (this.#length > 0) this.#take(this.#pieces.join('').replace(/\r$/, ''))
    this.#pieces = []
    this.#length = 0
  }

  #keep(piece: string): void {
    if (piece === '') return
    this.#pieces.push(piece)
    this.#length += piece.length
  }
}
