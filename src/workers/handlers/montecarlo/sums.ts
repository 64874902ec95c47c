import { z } from '../../../handler/index.ts'

/**
 * Over `n` paths, the sums of the discounted payoffs of the European (e), the arithmetic Asian (a) and the geometric Asian call
 * (g), of their squares, and of a times g. Sums of different paths may be added, in any order.
 */
export const sumsSchema = z.strictObject({
  n: z.int().min(0),
  e: z.number(),
  e2: z.number(),
  a: z.number(),
  a2: z.number(),
  g: z.number(),
  g2: z.number(),
  ag: z.number(),
})
export type Sums = z.output<typeof sumsSchema>

/** The order of the sums where they are plain numbers. */
export const sumNames = ['e', 'e2', 'a', 'a2', 'g', 'g2', 'ag'] as const
export const sumCount = sumNames.length

/** Adds sums with the rounding errors carried along (Neumaier), so that their order and number do not matter. */
export class SumsTotal {
  #n = 0
  readonly #high = new Float64Array(sumCount)
  readonly #low = new Float64Array(sumCount)

  constructor(start?: Sums) {
    if (start !== undefined) this.add(start)
  }

  get sums(): Sums {
    const value = (index: number) => (this.#high[index] ?? 0) + (this.#low[index] ?? 0)
    return { n: this.#n, e: value(0), e2: value(1), a: value(2), a2: value(3), g: value(4), g2: value(5), ag: value(6) }
  }

  add(sums: Sums): void {
    this.addValues(
      sums.n,
      sumNames.map((name) => sums[name]),
    )
  }

  /** @param values in the order of sumNames */
  addValues(paths: number, values: ArrayLike<number>): void {
    this.#n += paths
    for (let index = 0; index < sumCount; index += 1) {
      const high = this.#high[index] ?? 0
      const value = values[index] ?? 0
      const sum = high + value
      const lost = Math.abs(high) >= Math.abs(value) ? high - sum + value : value - sum + high
      this.#high[index] = sum
      this.#low[index] = (this.#low[index] ?? 0) + lost
    }
  }
}
