import { describe, expect, it } from 'vitest'
import {
  bytesOption,
  durationOption,
  integerOption,
  numberOption,
  pairsOption,
  secondsOption,
  timeOption,
} from '../../../src/cli/option-values.ts'

const now = Date.UTC(2030, 0, 1, 12)

describe('values of options', () => {
  it.each([
    ['30s', 30_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['5', 5_000],
    ['0', 0],
  ])('reads the length %s', (text, ms) => {
    expect(durationOption('--timeout', text)).toBe(ms)
  })

  it.each(['', 'soon', '-5s', 's', '10 parsecs', 'NaN', 'Infinity'])(
    'refuses the length "%s", naming option and value',
    (text) => {
      expect(() => durationOption('--timeout', text)).toThrow(`--timeout is "${text}"`)
    },
  )

  it('counts a bare number as seconds', () => {
    expect(secondsOption('--timeout', '90')).toBe(90)
  })

  it.each([
    ['64kb', 65_536],
    ['10 MB', 10_485_760],
    ['1gb', 1_073_741_824],
    ['4096', 4096],
    ['7b', 7],
  ])('reads the size %s', (text, bytes) => {
    expect(bytesOption('--max-output', text)).toBe(bytes)
  })

  it.each(['1tb', '1.5mb', '-1', 'mb', ''])('refuses the size "%s"', (text) => {
    expect(() => bytesOption('--max-output', text)).toThrow('--max-output')
  })

  it('refuses numbers that are none, too small or not whole', () => {
    expect(integerOption('--head', '12', 1)).toBe(12)
    for (const text of ['0', '1.5', 'x', '', '1e3', '99999999999999999999']) {
      expect(() => integerOption('--head', text, 1), text).toThrow('--head')
    }
    expect(numberOption('--backoff-factor', '1.5')).toBe(1.5)
    expect(() => numberOption('--backoff-factor', ' ')).toThrow('--backoff-factor')
  })

  it('takes a time as it is, or as a length from now in the direction of the option', () => {
    expect(timeOption('--run-at', '2030-01-31T18:00:00+02:00', now, 'ahead')).toBe('2030-01-31T16:00:00.000Z')
    expect(timeOption('--run-at', '2h', now, 'ahead')).toBe('2030-01-01T14:00:00.000Z')
    expect(timeOption('--since', '2h', now, 'back')).toBe('2030-01-01T10:00:00.000Z')
    for (const text of ['tomorrow', '2030-99-99', '', '1700000000', '1700000000000', '99999999999h'])
      expect(() => timeOption('--since', text, now, 'back'), text).toThrow('--since')
  })

  it('splits pairs at the first equals sign and refuses those without a name', () => {
    expect(pairsOption('--label', ['a=1', 'b=x=y', 'c='])).toEqual({ a: '1', b: 'x=y', c: '' })
    expect(() => pairsOption('--label', ['=1'])).toThrow('--label is "=1"')
    expect(() => pairsOption('--label', ['a'])).toThrow('NAME=VALUE')
  })
})
