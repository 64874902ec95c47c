/** Keeps the beginning and the end of a stream, a half of the cap each. */
export class HeadTailText {
  readonly #half: number
  readonly #head: Buffer[] = []
  readonly #tail: Buffer[] = []
  #headBytes = 0
  #tailBytes = 0
  #dropped = 0

  constructor(maxBytes: number) {
    this.#half = Math.max(1, Math.floor(maxBytes / 2))
  }

  push(piece: Buffer): void {
    const room = this.#half - this.#headBytes
    if (room > 0) {
      this.#head.push(piece.subarray(0, room))
      this.#headBytes += Math.min(room, piece.length)
    }
    if (piece.length <= room) return
    this.#tail.push(piece.subarray(Math.max(0, room)))
    this.#tailBytes += piece.length - Math.max(0, room)
    for (let first = this.#tail[0]; first !== undefined; first = this.#tail[0]) {
      if (this.#tailBytes - first.length < this.#half) break
      this.#tail.shift()
      this.#tailBytes -= first.length
      this.#dropped += first.length
    }
  }

  text(): string {
    const head = Buffer.concat(this.#head)
    const tail = Buffer.concat(this.#tail)
    const cut = Math.max(0, tail.length - this.#half)
    const dropped = this.#dropped + cut
    if (dropped === 0) return Buffer.concat([head, tail]).toString('utf8')
    return `${head.toString('utf8')}\n… ${dropped} bytes left out …\n${tail.subarray(cut).toString('utf8')}`
  }
}
