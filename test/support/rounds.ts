/**
 * How often a test does what must be proven again and again: kills, crowds, random histories, bytes. `npm test` proves a slice with
 * the same assertions, so that the whole suite stays below ten minutes on two cores; `npm run chaos` runs all of it.
 * @param slice enough to see the planted bugs of test/mutants turn red
 * @param whole the figure that was promised, taken when NIGHTKILN_CHAOS is 1
 */
export function rounds(slice: number, whole: number): number {
  return isWhole ? whole : slice
}

/** For what is not a number. */
export const isWhole: boolean = process.env['NIGHTKILN_CHAOS'] === '1'
