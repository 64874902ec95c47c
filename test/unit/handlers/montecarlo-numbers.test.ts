import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextChunk } from '../../../src/workers/handlers/montecarlo/engine.ts'
import { estimatesFrom } from '../../../src/workers/handlers/montecarlo/estimates.ts'
import { exactPrices, normalCdf } from '../../../src/workers/handlers/montecarlo/exact-prices.ts'
import { optionModel, sumScales } from '../../../src/workers/handlers/montecarlo/option.ts'
import { monteCarloParams } from '../../../src/workers/handlers/montecarlo/params.ts'
import { philox } from '../../../src/workers/handlers/montecarlo/philox.ts'
import { PathSimulator } from '../../../src/workers/handlers/montecarlo/simulate.ts'
import { SumsTotal, sumCount } from '../../../src/workers/handlers/montecarlo/sums.ts'
import { deviceOf } from '../../../src/workers/handlers/montecarlo/webgpu-adapter.ts'

const usual = monteCarloParams.parse({})

describe('Philox4x32-10', () => {
  // The known answers that come with Random123.
  test.each([
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('of %s with key %s is %s', (counter, key, expected) => {
    const [c0 = 0, c1 = 0, c2 = 0, c3 = 0] = numbers(counter)
    const [k0 = 0, k1 = 0] = numbers(key)
    const words = new Int32Array(4)
    philox(c0, c1, c2, c3, k0, k1, words)
    expect([...words].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join(' ')).toBe(expected)
  })

  test('takes words with a sign for what they are', () => {
    const [first, second] = [new Int32Array(4), new Int32Array(4)]
    philox(0xfffffff0, 0x80000000, 5, 6, 0xffffffff, 0x90000000, first)
    philox(0xfffffff0 | 0, 0x80000000 | 0, 5, 6, -1, 0x90000000 | 0, second)
    expect([...first]).toEqual([...second])
  })
})

describe('exact prices', () => {
  test('of the usual option', () => {
    const exact = exactPrices(usual)
    expect(Math.abs(exact.european / 10.450583572185565 - 1)).toBeLessThan(1e-14)
    expect(Math.abs(exact.geometricAsian / 5.841672354667301 - 1)).toBeLessThan(1e-14)
  })

  test('with one fixing all calls are the same', () => {
    const exact = exactPrices(monteCarloParams.parse({ fixings: 1, strike: 110, rate: -0.01, volatility: 0.4 }))
    expect(exact.geometricAsian).toBeCloseTo(exact.european, 12)
  })

  test.each([
    [0, 0.5],
    [1, 0.8413447460685429],
    [-1, 0.15865525393145707],
    [-3, 0.0013498980316300933],
    [-5.9, 1.8175078630994357e-9],
    [-6.1, 5.303423262948855e-10],
    [-10, 7.61985302416047e-24],
    [-40, 0],
    [5, 0.9999997133484281],
    [40, 1],
  ])('the share of a normal distribution below %d is %d', (x, share) => {
    // Near zero a share of 1e-9 comes from a difference: the whole is exact to 1e-15.
    expect(Math.abs(normalCdf(x) - share)).toBeLessThanOrEqual(x < -6 ? share * 1e-12 : 2e-15)
  })
})

describe('sums', () => {
  const model = optionModel(usual)
  const whole = 6_000
  const sumsOf = (ranges: readonly (readonly [number, number])[]) => {
    const total = new SumsTotal()
    const simulator = new PathSimulator(model)
    for (const [from, to] of ranges) total.addValues(to - from, simulator.simulate(from, to - from))
    return total.sums
  }
  const expected = sumsOf([[0, whole]])

  test('are the same in any split and any order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: whole - 1 }), { maxLength: 40 }),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (cuts, random) => {
          const ends = [...cuts.sort((left, right) => left - right), whole]
          const ranges = ends.map((end, index) => [ends[index - 1] ?? 0, end] as const)
          const mixed = ranges
            .map((range) => ({ range, place: random.next().value as number }))
            .sort((left, right) => left.place - right.place)
            .map(({ range }) => range)
          expectSame(sumsOf(mixed), expected, 1e-12)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('lose nothing when a saved part goes on elsewhere', () => {
    const first = sumsOf([[0, 2_500]])
    const total = new SumsTotal(JSON.parse(JSON.stringify(first)))
    total.add(sumsOf([[2_500, whole]]))
    expectSame(total.sums, expected, 1e-13)
  })

  test('keep what is small beside what is large', () => {
    const total = new SumsTotal()
    const one = new Array<number>(sumCount).fill(1)
    total.addValues(1, new Array<number>(sumCount).fill(1e16))
    for (let count = 0; count < 1_000; count += 1) total.addValues(1, one)
    total.addValues(1, new Array<number>(sumCount).fill(-1e16))
    expect(total.sums).toEqual({ n: 1_002, e: 1_000, e2: 1_000, a: 1_000, a2: 1_000, g: 1_000, g2: 1_000, ag: 1_000 })
  })

  test('of paths beyond 32 bits are of other paths, on both sides of the border', () => {
    const border = 2 ** 32
    const across = sumsOf([[border - 10, border + 10]])
    const apart = sumsOf([
      [border - 10, border],
      [border, border + 10],
    ])
    expectSame(across, apart, 1e-14)
    expect(sumsOf([[border, border + 10]]).a).not.toBe(sumsOf([[0, 10]]).a)
  })

  test('are of other random numbers with another seed, also in its upper word', () => {
    const totals = [42, 43, 42 + 2 ** 32].map((seed) => {
      const simulator = new PathSimulator(optionModel({ ...usual, seed }))
      return simulator.simulate(0, 100)[0]
    })
    expect(new Set(totals).size).toBe(3)
  })
})

describe('prices', () => {
  // Independent of the simulation: each group has its own seed.
  test.each([
    [{}],
    [{ fixings: 1 }],
    [{ fixings: 7, strike: 120, volatility: 0.5, rate: 0 }],
    [{ fixings: 50, spot: 8, strike: 7.5, rate: -0.02, maturity_years: 3 }],
    [{ fixings: 252, volatility: 0.1, maturity_years: 0.25, seed: 7 }],
  ])('of %j lie within 3 standard errors of the exact ones', (given) => {
    const params = monteCarloParams.parse(given)
    const model = optionModel(params)
    const paths = 40_000
    const values = new PathSimulator(model).simulate(0, paths)
    const total = new SumsTotal()
    const scales = sumScales(model)
    total.addValues(
      paths,
      values.map((value, index) => value * (scales[index] ?? 0)),
    )
    const prices = estimatesFrom(total.sums, params)
    for (const one of [prices.european, prices.geometric_asian])
      expect(Math.abs(one.price - one.exact) / one.standard_error).toBeLessThan(3)
    const { arithmetic_asian: controlled, arithmetic_asian_plain: plain } = prices
    expect(controlled.standard_error).toBeLessThan(plain.standard_error / 10)
    expect(Math.abs(controlled.price - plain.price) / plain.standard_error).toBeLessThan(3)
    // The mean is never below the geometric one.
    expect(controlled.price).toBeGreaterThan(prices.geometric_asian.exact - 4 * controlled.standard_error - 1e-12)
  })

  test('with one fixing the Asian calls are known exactly', () => {
    const params = monteCarloParams.parse({ fixings: 1 })
    const total = new SumsTotal()
    const model = optionModel(params)
    const scales = sumScales(model)
    total.addValues(
      1_000,
      new PathSimulator(model).simulate(0, 1_000).map((value, index) => value * (scales[index] ?? 0)),
    )
    const { arithmetic_asian: price } = estimatesFrom(total.sums, params)
    expect(price.price).toBeCloseTo(exactPrices(params).european, 9)
    expect(price.standard_error).toBeLessThan(1e-6)
  })
})

describe('parameters', () => {
  test.each([
    [{ volatility: 4 }, 'volatility'],
    [{ rate: 0.5, maturity_years: 50, volatility: 0.1 }, 'rate'],
    [{ paths: 1 }, 'paths'],
    [{ fixings: 0 }, 'fixings'],
    [{ seed: -1 }, 'seed'],
    [{ spot: 0 }, 'spot'],
  ])('%j are refused, because of %s', (given, name) => {
    const { error } = monteCarloParams.safeParse(given)
    expect(error?.issues.map(({ path }) => path.join('.'))).toContain(name)
  })
})

describe('the size of a chunk', () => {
  const bounds = { first: 4_096, least: 1_024, most: 1_048_576 }

  test.each([
    [102_400, 120, 102_400],
    [102_400, 240, 51_200],
    [102_400, 60, 204_800],
    [102_400, 0, 409_600],
    [102_400, 100_000, 25_600],
    [1_024, 100_000, 1_024],
    [1_048_576, 1, 1_048_576],
  ])('after %d paths in %d ms is %d', (paths, tookMs, next) => {
    expect(nextChunk(paths, tookMs, bounds)).toBe(next)
  })
})

describe('the name of an adapter', () => {
  const nothing = { vendor: '', architecture: '', device: '', description: '', isFallbackAdapter: false }

  test.each([
    [
      { vendor: 'nvidia', architecture: 'hopper', device: '', description: 'NVIDIA H200' },
      'gpu',
      'nvidia hopper (NVIDIA H200)',
    ],
    [{ vendor: 'intel', architecture: 'xe', device: 'arc' }, 'gpu', 'arc'],
    [{ vendor: 'mesa', architecture: 'software', device: 'llvmpipe-256-bits-' }, 'software', 'llvmpipe-256-bits'],
    [{ vendor: 'google', architecture: 'swiftshader' }, 'software', 'google swiftshader'],
    [{ vendor: 'x', device: 'y', isFallbackAdapter: true }, 'software', 'y'],
    [{ description: 'Microsoft Basic Render Driver' }, 'software', '(Microsoft Basic Render Driver)'],
    [{}, 'gpu', 'a GPU without a name'],
  ])('%j is a %s named %s', (info, kind, name) => {
    expect(deviceOf({ ...nothing, ...info })).toEqual({ name, kind })
  })
})

function numbers(words: string): number[] {
  return words.split(' ').map((word) => Number.parseInt(word, 16))
}

type SumsLike = Readonly<Record<string, number>>

function expectSame(found: SumsLike, expected: SumsLike, relative: number): void {
  expect(found['n']).toBe(expected['n'])
  for (const [name, value] of Object.entries(expected))
    expect(Math.abs((found[name] ?? 0) / value - 1), name).toBeLessThanOrEqual(relative)
}
