import { seededRandom } from '../crash/support-a/seeded-random.ts'

/** Random choices that are the same for the same seed. */
export interface Chance {
  /** True in `share` of all cases. */
  happens(share: number): boolean
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number
  pick<Value>(values: readonly Value[]): Value
}

export function createChance(seed: number): Chance {
  const random = seededRandom(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  return {
    happens: (share) => random() < share,
    below,
    pick(values) {
      const value = values[below(values.length)]
      if (value === undefined) throw new Error('there is nothing to pick from')
      return value
    },
  }
}
