import { describe, expect, test } from 'vitest'
import { harmlessJson, harmlessText } from '../../../src/domain/display-text.ts'

describe('harmless text', () => {
  test('keeps every C0 and C1 control from the terminal except newline and tab', () => {
    for (let code = 0; code < 0x100; code += 1) {
      const character = String.fromCharCode(code)
      const isControl = (code < 0x20 || (code >= 0x7f && code < 0xa0)) && character !== '\n' && character !== '\t'
      const expected = isControl ? `\\x${code.toString(16).padStart(2, '0')}` : character
      expect(harmlessText(character), `code ${code}`).toBe(expected)
    }
  })

  test.each([
    ['\u001b]52;c;eA==\u0007', '\\x1b]52;c;eA==\\x07'],
    ['abc\u202edef\u2066', 'abc\\u202edef\\u2066'],
    ['a\u{e0041}b', 'a\\u{e0041}b'],
    ['lone \ud800 half', 'lone \\ud800 half'],
    ['zero\u200bwidth\ufeff', 'zero\\u200bwidth\\ufeff'],
    ['line\r\nend', 'line\nend'],
    ['over\rwrite', 'over\\x0dwrite'],
  ])('escapes %j', (text, expected) => {
    expect(harmlessText(text)).toBe(expected)
  })

  test('leaves ordinary text of any language alone', () => {
    const text = 'Größe 🔥 👩‍👩‍👧 日本語 العربية नमस्ते C:\\x1b \t|\n'
    expect(harmlessText(text)).toBe(text)
  })

  test('applied twice changes nothing more', () => {
    const once = harmlessText('\u001b[31m\u202e\r\r\n\u{e0041}')
    expect(harmlessText(once)).toBe(once)
  })

  test('reaches every text of a JSON value, keys included', () => {
    expect(harmlessJson({ 'k\u001b': ['\u0007', { a: null, b: 1, c: true }] })).toEqual({
      'k\\x1b': ['\\x07', { a: null, b: 1, c: true }],
    })
  })
})
