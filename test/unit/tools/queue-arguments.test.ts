import { describe, expect, test } from 'vitest'
import { submitInput } from '../../../src/domain/wire/submit.ts'
import { checkedArguments } from '../../../src/tools/tool-arguments.ts'

const tool = { name: 'submit_job', example: { params: { argv: ['ls'] } } }
const id = '01890a5d-ac96-774b-bcce-b302099a8057'

function check(given: Record<string, unknown>): unknown {
  return checkedArguments(submitInput, { params: { argv: ['x'] }, ...given }, tool)
}

describe('arguments of a job with units that do not fit are answered with what was meant', () => {
  test.each([
    [{ source: { glob: '*.pdf' } }, /source\.kind is missing; valid: glob, lines, csv, json, sqlite, range/],
    [{ source: { kind: 'files' } }, /source\.kind is "files"; valid: glob, lines/],
    [{ source: { kind: 'lines', path: '/a' } }, /source\.file is missing; source has the unknown key "path"/],
    [{ source: '*.pdf' }, /source is text, but must be an object: \{"kind":"glob","pattern":"\*\.pdf"\}/],
    [{ source: '/urls.txt' }, /an object: \{"kind":"lines","file":"\/urls\.txt"\}/],
    [{ units: [] }, /units is empty/],
    [{ depends_on: ['x'] }, /depends_on\.0 is "x", which is not a job id/],
    [{ depends_on: { id } }, new RegExp(`depends_on is an object, but must be a list: \\[\\{"id":"${id}"\\}\\]`)],
    [{ depends_on: [{ job: id }] }, /depends_on\.0\.id is missing; depends_on\.0 has the unknown key "job"/],
    [{ per_key: '{{unit.host}}' }, /per_key is text, but must be an object: \{"key":"\{\{unit\.host\}\}"\}/],
    [{ per_key: { key: 'k', rate_limit: '10/min' } }, /must be an object: \{"count":10,"interval_s":60\}/],
    [
      { final_step: { script: 'make' } },
      /into final_step\.params: \{"final_step":\{"params":\{"shell":true,"script":"make"\}\}\}/,
    ],
    [{ final_step: 'make' }, /must be an object: \{"params":\{"shell":true,"script":"make"\}\}/],
    [{ rate_limited: { codes: [75] } }, /rate_limited has the unknown key "codes"; valid: exit_codes, text, wait_s/],
    [{ retry_on: ['all'] }, /retry_on\.0 is "all"; valid: exit_code, timeout/],
  ])('%j', (given, message) => {
    expect(() => check(given)).toThrow(message)
  })
})

test.each([
  [{ units: '["a","b"]' }, { units: ['a', 'b'] }],
  [{ units: 'a' }, { units: ['a'] }],
  [{ retry_on: 'timeout' }, { retry_on: ['timeout'] }],
  [{ depends_on: id }, { depends_on: [id] }],
  [{ source: '{"kind":"range","from":1,"to":3}' }, { source: { kind: 'range', from: 1, to: 3, step: 1 } }],
  [{ source: { kind: 'range', from: '1', to: '3' } }, { source: { kind: 'range', from: 1, to: 3, step: 1 } }],
  [
    { test_first: '3', max_failed_units: '5' },
    { test_first: 3, max_failed_units: 5 },
  ],
])('%j is understood', (given, understood) => {
  expect(check(given)).toMatchObject(understood)
})
