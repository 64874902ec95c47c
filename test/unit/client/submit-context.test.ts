import { expect, test } from 'vitest'
import { baseEnvironment, captureSubmitContext } from '../../../src/client/submit-context.ts'

test('keeps what commands need and leaves secrets and loader variables behind', () => {
  const kept = baseEnvironment({
    PATH: '/bin',
    LC_TIME: 'C',
    XDG_RUNTIME_DIR: '/run/user/1',
    SSH_AUTH_SOCK: '/run/agent',
    XDG_SECRET_TOKEN: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    OPENAI_API_KEY: 'x',
    LD_PRELOAD: '/evil.so',
    NODE_OPTIONS: '--require /evil.js',
    BASH_ENV: '/evil.sh',
    NIGHTKILN_ATTEMPT: '1',
    TERM: undefined,
  })
  expect(kept).toEqual({ PATH: '/bin', LC_TIME: 'C', XDG_RUNTIME_DIR: '/run/user/1', SSH_AUTH_SOCK: '/run/agent' })
})

test.each([
  ['/', null],
  ['/home/me', null],
  ['/home/me/project', '/home/me/project'],
])('from %s the default directory is %s', (cwd, expected) => {
  expect(captureSubmitContext({ submittedBy: 'x', environment: {}, cwd, home: '/home/me' }).cwd).toBe(expected)
})
