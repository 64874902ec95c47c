import { expect, test } from 'vitest'
import { refusalOf } from '../../../src/workers/program.ts'

const spec = {
  argv: ['/bin/echo', 'x'.repeat(100)],
  cwd: '/w',
  environment: { A: 'b' },
  stdin: null,
  successExitCodes: [0],
}
const failure = (code: string): Error => Object.assign(new Error(code), { code })

test.for(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC'])("%s is the machine's: the attempt is released", (code) => {
  expect(refusalOf(failure(code), spec, '/bin/sh')).toBe(null)
})

test.for(['E2BIG', 'EACCES', 'ENOTDIR', 'ENOENT'])("%s is the job's: it is told", (code) => {
  expect(refusalOf(failure(code), spec, '/bin/sh')).toMatchObject({ code: 'command_not_started' })
})

test('too long arguments are told with their size', () => {
  expect(refusalOf(failure('E2BIG'), spec, '/bin/sh')?.message).toContain('(115 bytes together)')
})
