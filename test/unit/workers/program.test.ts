import { expect, test } from 'vitest'
import { refusalOf, resolveProgram } from '../../../src/workers/program.ts'

const spec = {
  argv: ['/bin/echo', 'x'.repeat(100)],
  cwd: '/w',
  environment: { A: 'b' },
  stdin: null,
  interactive: false,
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

test.for<readonly [string, string]>([
  ['npm test', 'Give ["npm","test"], or shell: true with script.'],
  ['ls | wc -l', 'Give every word as its own element of argv, or shell: true with script.'],
  ['/nowhere/tool --fast', 'Give ["/nowhere/tool","--fast"], or shell: true with script.'],
])('the command line %j as a program is told as one', async ([line, remedy]) => {
  const refusal = resolveProgram({ ...spec, argv: [line], cwd: '/' })
  await expect(refusal).rejects.toMatchObject({
    code: 'command_not_started',
    message: `program "${line}" was not found: argv[0] holds a whole command line`,
    remedy,
  })
})

test('a missing program of one word is told as missing', async () => {
  await expect(resolveProgram({ ...spec, argv: ['no-such-program-here'], cwd: '/' })).rejects.toMatchObject({
    message: 'program "no-such-program-here" was not found in PATH',
  })
})
