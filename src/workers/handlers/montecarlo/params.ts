import { z } from '../../../handler/index.ts'
import { sumsSchema } from './sums.ts'

const mostPaths = 1_000_000_000_000
/** Beyond these a path may leave the range of the 32-bit numbers of a GPU. */
const mostDeviation = 3
const mostGrowth = 5

const money = z.number().min(1e-6).max(1e9)
const pathNumber = z.int().min(0).max(mostPaths)

export const monteCarloParams = z
  .strictObject({
    spot: money.default(100).describe('Price of the underlying today'),
    strike: money.default(100).describe('Strike of the three calls'),
    rate: z.number().min(-1).max(1).default(0.05).describe('Interest rate a year, continuous; 0.05 is 5 %'),
    volatility: z.number().min(0.0001).max(10).default(0.2).describe('Volatility a year; 0.2 is 20 %'),
    maturity_years: z.number().min(0.0001).max(100).default(1).describe('Years until the calls are paid'),
    fixings: z.int().min(1).max(4096).default(16).describe('Equally spaced days that the Asian calls average over'),
    paths: pathNumber.min(2).default(1_048_576).describe('Simulated paths, of all units together'),
    seed: z.int().min(0).default(42).describe('Key of the random numbers; the same gives the same prices'),
    paths_per_unit: pathNumber
      .min(1)
      .optional()
      .describe(
        'For units that are numbers, such as those of a range from 0: unit k has the paths from k times this on',
      ),
    chunk_paths: z
      .int()
      .min(1024)
      .max(67_107_840)
      .optional()
      .describe('Paths between two looks at a cancel; default: what takes about a tenth of a second'),
  })
  .refine((params) => params.volatility * Math.sqrt(params.maturity_years) <= mostDeviation, {
    path: ['volatility'],
    message: `volatility times the root of maturity_years must be at most ${mostDeviation}`,
  })
  .refine((params) => Math.abs(params.rate) * params.maturity_years <= mostGrowth, {
    path: ['rate'],
    message: `rate times maturity_years must be from -${mostGrowth} to ${mostGrowth}`,
  })
export type MonteCarloParams = z.output<typeof monteCarloParams>

const range = z.strictObject({
  first_path: pathNumber.describe('Number of its first path, from 0'),
  paths: pathNumber.min(1).describe('How many'),
})
/** Paths, by their numbers. */
export type PathRange = z.output<typeof range>

export const monteCarloUnit = z.union([
  z.int().min(0).max(mostPaths).describe('Number of a slice of paths_per_unit paths, from 0'),
  range,
])
export type MonteCarloUnit = z.output<typeof monteCarloUnit>

/** What computed some of the paths. */
export const computedOn = z.strictObject({
  name: z.string().min(1).max(200),
  kind: z.enum(['gpu', 'software', 'cpu']),
  paths: z.int().min(0),
  /** Of computing alone. */
  seconds: z.number().min(0),
  /** Until the first path: finding the device, compiling. */
  setup_seconds: z.number().min(0),
})
export type ComputedOn = z.output<typeof computedOn>

const estimate = z.object({ price: z.number(), standard_error: z.number() })
const checkedEstimate = estimate.extend({ exact: z.number().describe('By formula') })

export const monteCarloResult = z.object({
  european: checkedEstimate,
  arithmetic_asian: estimate.describe('With the geometric one as control variate'),
  arithmetic_asian_plain: estimate,
  geometric_asian: checkedEstimate,
  paths: z.int(),
  device: z.string().describe('What computed; several are joined by " + "'),
  elapsed_s: z.number().describe('Seconds of computing, in all attempts and units together'),
  paths_per_s: z.number(),
  computed_on: z.array(computedOn),
  units_missing: z.int().describe('Of a final step: units that gave no result'),
  ranges: z.array(range).describe('Which paths these are'),
  option: z.object({
    spot: z.number(),
    strike: z.number(),
    rate: z.number(),
    volatility: z.number(),
    maturity_years: z.number(),
    fixings: z.int(),
    seed: z.int(),
  }),
  sums: sumsSchema.describe('Of discounted payoffs; those of other paths may be added'),
})
export type MonteCarloResult = z.output<typeof monteCarloResult>
