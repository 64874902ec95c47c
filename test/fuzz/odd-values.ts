/** Stands in a value that becomes JSON text which `JSON.stringify` cannot write. */
export interface RawJson {
  readonly rawJson: string
}

const nested = (open: string, close: string, depth: number): RawJson => ({
  rawJson: `${open.repeat(depth)}1${close.repeat(depth)}`,
})

/** Strings on which parsers, paths, terminals and comparisons have stumbled. */
export const oddStrings: readonly string[] = [
  '',
  ' ',
  '\0',
  'submit_job\0',
  '\r\n',
  '\u001b[2J\u001b]0;title\u0007',
  '\ud800',
  'a\udfffb',
  '\ufeff',
  '\u202e\u2066',
  '\u2028',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  'file:///etc/passwd',
  'job://',
  'job://..%2f..%2f/log',
  'job://%00/result',
  'queue://status?x=%',
  'ui://nightkiln/../board',
  'nightkiln-task:x',
  '%',
  '{{unit}}',
  'notifications/cancelled',
  '2026-07-28',
  '1999-01-01',
  'NaN',
  'e\u0301'.repeat(40),
  'x'.repeat(70_000),
]

/** Numbers at and beyond the edges; those that JSON.stringify would change are written as text. */
export const oddNumbers: readonly (number | RawJson)[] = [
  0,
  { rawJson: '-0' },
  -1,
  0.5,
  1e-7,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  1e20,
  1.7976931348623157e308,
  { rawJson: '1e400' },
  { rawJson: '-1e400' },
  { rawJson: '123456789012345678901234567890' },
  { rawJson: '1E+2' },
]

export const oddIds: readonly unknown[] = [
  null,
  true,
  1.5,
  { rawJson: '1e400' },
  2 ** 53,
  -1,
  { rawJson: '-0' },
  '',
  '\0',
  '\ud800',
  '__proto__',
  'i'.repeat(300),
  [],
  [1],
  {},
  { id: 1 },
]

export const oddTokens: readonly unknown[] = [
  null,
  false,
  1.5,
  [],
  {},
  '',
  '\0',
  '__proto__',
  2 ** 53,
  't'.repeat(5_000),
]

/** Values of any kind. */
export const oddValues: readonly unknown[] = [
  null,
  true,
  false,
  [],
  {},
  [[[[]]]],
  [null, null],
  { rawJson: '{"__proto__":{"polluted":true}}' },
  { rawJson: '{"constructor":{"prototype":{"polluted":true}}}' },
  { rawJson: '{"a":1,"a":2,"a":3}' },
  { length: 1e9 },
  { rawJson: '{"then":1}' },
  { toJSON: 1 },
  nested('[', ']', 1_000),
  nested('{"a":', '}', 1_000),
]

/** So deep that whatever recurses over it overflows its stack. */
export const deepValues: readonly RawJson[] = [nested('[', ']', 100_000), nested('{"a":', '}', 100_000)]

function isRawJson(value: unknown): value is RawJson {
  return typeof value === 'object' && value !== null && typeof (value as RawJson).rawJson === 'string'
}

/** @returns the value as JSON text, raw pieces as they stand. */
export function jsonText(value: unknown): string {
  const pieces: string[] = []
  const marked = JSON.stringify(value, (_key, inner: unknown) => {
    if (!isRawJson(inner)) return inner
    pieces.push(inner.rawJson)
    return `@raw${pieces.length - 1}@`
  })
  return (marked ?? 'null').replace(/"@raw(\d+)@"/g, (whole, index: string) => pieces[Number(index)] ?? whole)
}
