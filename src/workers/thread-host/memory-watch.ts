/** What is to be done about the memory of the host. */
export type MemoryOrder = 'nothing' | 'wait' | 'end_the_one' | 'end_the_host'

/** With nothing left to end, memory is given back late or never. */
const patienceMs = 5_000

/** Judges the memory of the whole process: buffers count in no thread's own limit. */
export class MemoryWatch {
  readonly #limit: number
  #overSince: number | null = null

  constructor(limitBytes: number) {
    this.#limit = limitBytes
  }

  /**
   * @param running attempts that have begun and are not being ended
   * @param ending attempts whose threads are being ended
   */
  judge(rssBytes: number, running: number, ending: number, now: number): MemoryOrder {
    if (rssBytes <= this.#limit) {
      this.#overSince = null
      return 'nothing'
    }
    this.#overSince ??= now
    // What is being ended may have been the one that took it.
    if (ending > 0 && now - this.#overSince < patienceMs) return 'wait'
    if (running === 1) return 'end_the_one'
    if (running > 1) return 'end_the_host'
    return now - this.#overSince < patienceMs ? 'wait' : 'end_the_host'
  }
}
