import type { OptionModel } from './option.ts'
import { philox } from './philox.ts'
import { sumCount } from './sums.ts'

const words = 2 ** 32
/** Radians that one step of a random word turns. */
const turn = (2 * Math.PI) / words

/** Simulates paths one after the other, in 64-bit numbers. */
export class PathSimulator {
  readonly #model: OptionModel
  readonly #words = new Int32Array(4)
  readonly #normals = new Float64Array(4)
  readonly #sums = new Float64Array(sumCount)

  constructor(model: OptionModel) {
    this.#model = model
  }

  /**
   * @param first number of the first path, below 2^53
   * @param count up to about a million: they are added one by one
   * @returns the sums of the payoffs in units of the spot, in the order of sumNames; the next call overwrites them
   */
  simulate(first: number, count: number): Float64Array {
    this.#sums.fill(0)
    // The counter has the number of the path as two words.
    let done = 0
    while (done < count) {
      const low = (first + done) % words
      const part = Math.min(count - done, words - low)
      this.#simulate(low | 0, Math.floor((first + done) / words), part)
      done += part
    }
    return this.#sums
  }

  #simulate(firstLow: number, high: number, count: number): void {
    const { fixings, drift, deviation, strikeRatio, key } = this.#model
    const random = this.#words
    const normals = this.#normals
    const sums = this.#sums
    const [key0, key1] = key
    let e = 0
    let e2 = 0
    let a = 0
    let a2 = 0
    let g = 0
    let g2 = 0
    let ag = 0
    for (let index = 0; index < count; index += 1) {
      let logPrice = 0
      let price = 1
      let sumOfLogs = 0
      let sumOfPrices = 0
      for (let fixing = 0; fixing < fixings; fixing += 4) {
        philox((firstLow + index) | 0, fixing >>> 2, high, 0, key0, key1, random)
        twoNormals(random, 0, normals)
        twoNormals(random, 2, normals)
        const end = Math.min(4, fixings - fixing)
        for (let next = 0; next < end; next += 1) {
          logPrice += drift + deviation * (normals[next] as number)
          price = Math.exp(logPrice)
          sumOfLogs += logPrice
          sumOfPrices += price
        }
      }
      const european = Math.max(price - strikeRatio, 0)
      const arithmetic = Math.max(sumOfPrices / fixings - strikeRatio, 0)
      const geometric = Math.max(Math.exp(sumOfLogs / fixings) - strikeRatio, 0)
      e += european
      e2 += european * european
      a += arithmetic
      a2 += arithmetic * arithmetic
      g += geometric
      g2 += geometric * geometric
      ag += arithmetic * geometric
    }
    const added = [e, e2, a, a2, g, g2, ag]
    for (let index = 0; index < sumCount; index += 1) sums[index] = (sums[index] ?? 0) + (added[index] ?? 0)
  }
}

/** Box and Muller: two random words at `at` give two standard normal numbers there. */
function twoNormals(random: Int32Array, at: 0 | 2, normals: Float64Array): void {
  const uniform = (((random[at] as number) >>> 0) + 0.5) / words
  const radius = Math.sqrt(-2 * Math.log(uniform))
  const angle = (random[at + 1] as number) * turn
  normals[at] = radius * Math.cos(angle)
  normals[at + 1] = radius * Math.sin(angle)
}
