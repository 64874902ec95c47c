import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { jobLine, jobView } from '../../src/domain/wire/shared.ts'
import { submitAnswer } from '../../src/domain/wire/submit.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { useQueue } from './queue.ts'
import { errorOf, jsonOf, runCli, runProcess, startCli, submitScript } from './run-cli.ts'

describe('submit', () => {
  it('answers the id alone in a pipe, runs in the current directory, passes arguments untouched', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const submitted = await runProcess(home, ['submit', '--', 'printf', '%s|', 'a b', '--json', '$HOME', '*'])
    expect(submitted.code).toBe(0)
    expect(submitted.stdout).toMatch(/^[0-9a-f-]{36}\n$/)
    const id = submitted.stdout.trim()
    expect(await queue.ended(id)).toBe('completed')
    expect((await runProcess(home, ['logs', id])).stdout).toBe('a b|--json|$HOME|*|')
  })

  it('--json prints one value of the shape of the wire, and nothing on stderr', async () => {
    const home = useTemporaryHome()
    const result = await runCli(home, ['submit', '--json', '--name', 'one', '--label', 'a=1', '--', 'true'])
    expect(result.stderr).toBe('')
    const answer = submitAnswer.parse(jsonOf(result))
    expect(answer).toMatchObject({ existing: false, job: { name: 'one', labels: { a: '1' } } })
  })

  it('--wait tells the outcome by its exit code and shows the end of what a failed one printed', async () => {
    const home = useTemporaryHome()
    expect((await runCli(home, ['submit', '--wait', '--', 'true'])).code).toBe(0)
    const failed = await runProcess(home, ['submit', '--wait', '--shell', 'echo reason; exit 3'])
    expect(failed.code).toBe(6)
    expect(failed.stdout).toContain('exit code 3')
    const json = await runCli(home, ['submit', '--wait', '--json', '--', 'false'])
    expect(json.code).toBe(6)
    expect(jsonOf(json)).toMatchObject({ existing: false, job: { state: 'failed', final: true } })
  })

  it('the same key gives the same job, other content with it a conflict', async () => {
    const home = useTemporaryHome()
    const first = jsonOf(await runCli(home, ['submit', '--json', '--key', 'k', '--', 'true']))
    const second = jsonOf(await runCli(home, ['submit', '--json', '--key', 'k', '--', 'true']))
    expect(second).toMatchObject({ id: first['id'], existing: true })
    const conflict = await runCli(home, ['submit', '--json', '--key', 'k', '--', 'false'])
    expect(conflict.code).toBe(4)
    expect(errorOf(conflict).code).toBe('idempotency_conflict')
  })

  it('says in a script that a key was used before', async () => {
    const home = useTemporaryHome()
    const first = await runCli(home, ['submit', '--key', 'k', '--', 'true'])
    expect(first.stderr).not.toContain('used before')
    const second = await runCli(home, ['submit', '--key', 'k', '--', 'true'])
    expect(second.stdout).toBe(first.stdout)
    expect(second.stderr).toContain('this key was used before: no new job was made')
    expect(second.stderr).not.toMatch(/max_attempts|rerun_when_lost/)
  })

  it('reads standard input and gives it to the command', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const result = await runProcess(home, ['submit', '--stdin', '-', '--', 'cat'], { stdin: 'über\nzwei' })
    const id = result.stdout.trim()
    expect(await queue.ended(id)).toBe('completed')
    expect((await runCli(home, ['logs', id, '--all'])).stdout).toBe('über\nzwei')
  })
})

describe('wait', () => {
  it('gives up in time with its own code, and Ctrl-C leaves the job running', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await queue.submit('while [ ! -e go ]; do sleep 0.05; done')
    const timedOut = await runCli(home, ['wait', id, '--timeout', '200ms', '--json'])
    expect(timedOut.code).toBe(12)
    expect(jsonOf(timedOut)).toMatchObject({ satisfied: false, jobs: [{ id, final: false }] })
    const waiting = startCli(home, ['wait', id])
    await waitUntil(() => waiting.stdout().includes('running'))
    waiting.child.kill('SIGINT')
    expect(await waiting.ended).toMatchObject({ code: 130, signal: null })
    expect(jsonOf(await runCli(home, ['status', id, '--json']))).toMatchObject({ jobs: [{ state: 'running' }] })
    expect((await runCli(home, ['cancel', id, '--wait'])).code).toBe(0)
    expect((await runProcess(home, ['wait', id])).code).toBe(10)
  })

  it('outlasts several long polls and ends with the first job for --any', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const slow = await queue.submit('sleep 60')
    const quick = await queue.submit('sleep 0.2')
    const any = await runCli(home, ['wait', '--any', '--json', slow, quick])
    expect(any.code).toBe(0)
    expect(
      (jsonOf(any)['jobs'] as { id: string; final: boolean }[]).filter((job) => job.final).map((job) => job.id),
    ).toEqual([quick])
    expect((await runCli(home, ['cancel', '--all', '--yes', '--wait'])).code).toBe(0)
  })

  it('says which job does not exist', async () => {
    const home = useTemporaryHome()
    const unknown = '01a200a5-580e-7e89-ad89-2a6f000561a2'
    const result = await runCli(home, ['wait', unknown, '--json'])
    expect(result.code).toBe(3)
    expect(errorOf(result)).toMatchObject({ code: 'job_not_found' })
    expect(result.stdout).toBe('')
  })
})

describe('looking', () => {
  it('list, status, result, new and types answer in the shape of the wire', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await queue.submit('echo hello', { name: 'greeter' })
    await queue.ended(id)
    const list = jsonOf(await runCli(home, ['list', '--json', '--state', 'completed']))
    expect(jobLine.array().parse(list['jobs'])).toMatchObject([{ id, name: 'greeter', state: 'completed' }])
    const status = jsonOf(await runCli(home, ['status', 'last', '--full', '--json']))
    expect(jobView.array().parse(status['jobs'])).toMatchObject([
      { id, attempt_history: [{ attempt: 1, exit_code: 0 }] },
    ])
    expect(jsonOf(await runCli(home, ['result', id.slice(-8), '--json']))).toMatchObject({
      id,
      final: true,
      result: { exit_code: 0 },
    })
    const types = jsonOf(await runCli(home, ['types', '--json']))['types'] as { type: string }[]
    expect(types.map(({ type }) => type)).toEqual(expect.arrayContaining(['command', 'noop']))
    const fresh = await runCli(home, ['new', '--json', '--ack'])
    expect(jsonOf(fresh)).toMatchObject({ finished: [{ id }], counts: { finished: 1 } })
    expect(jsonOf(await runCli(home, ['new', '--json']))).toMatchObject({ finished: [], counts: { finished: 0 } })
    const people = await runCli(home, ['status', id])
    expect(people.stdout).toContain('greeter')
    expect(people.stdout).toContain(id)
    expect(people.stdout).not.toContain('\u001b')
  })

  it('logs: head, tail, grep, all, raw and follow', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await queue.submit(
      'i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo line $i; done; printf "\\033[31mred\\n"',
    )
    await queue.ended(id)
    expect((await runCli(home, ['logs', id, '--head', '2'])).stdout).toBe('line 1\nline 2\n')
    expect((await runCli(home, ['logs', id, '--tail', '2'])).stdout).toBe('line 200\n\\x1b[31mred\n')
    expect((await runCli(home, ['logs', id, '--grep', 'line 17'])).stdout.trim().split('\n')).toHaveLength(11)
    const all = await runCli(home, ['logs', id, '--all', '--raw'])
    expect(all.stdout.trim().split('\n')).toHaveLength(201)
    expect(all.stderr).toBe('')
  })

  it('logs --follow shows output as it comes and ends with the job', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await queue.submit('echo first; while [ ! -e go ]; do sleep 0.05; done; echo second')
    const following = startCli(home, ['logs', '--follow', id])
    await waitUntil(() => following.stdout().includes('first'))
    expect(following.stdout()).not.toContain('second')
    writeFileSync(join(home.home, 'go'), '')
    const result = await following.ended
    expect(result.code).toBe(0)
    expect(result.stdout).toBe('first\nsecond\n')
  })

  it('logs say why they are empty; result of an unfinished job is an error', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await queue.submit('while [ ! -e go ]; do sleep 0.05; done')
    await waitUntil(async () => (await runCli(home, ['logs', id])).stderr === 'no output yet\n')
    const early = await runCli(home, ['result', id, '--json'])
    expect(early).toMatchObject({ code: 4, stdout: '' })
    expect(errorOf(early)).toMatchObject({ code: 'invalid_transition' })
    writeFileSync(join(home.home, 'go'), '')
    await queue.ended(id)
    expect((await runCli(home, ['logs', id])).stderr).toBe('it printed nothing\n')
    expect((await runCli(home, ['logs', id, '--follow'])).stderr).toBe('it printed nothing\n')
    expect(await runCli(home, ['logs', id, '--raw'])).toMatchObject({ stdout: '', stderr: '' })
    const loud = await queue.submit('echo hello')
    await queue.ended(loud)
    expect((await runCli(home, ['logs', loud, '--grep', 'foo'])).stderr).toBe('no line contains "foo"\n')
  })

  it('a reader that goes away is no error', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await queue.submit('i=0; while [ $i -lt 40000 ]; do i=$((i+1)); echo line $i of many; done')
    await queue.ended(id)
    const process = startCli(home, ['logs', '--all', id])
    process.child.stdout?.once('data', () => process.child.stdout?.destroy())
    const { code, stderr } = await process.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })
})

describe('cancel and rerun', () => {
  it('a filter needs --yes; a final job says so', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await queue.submit('sleep 60', { labels: { batch: '7' } })
    const other = await queue.submit('sleep 60')
    const refused = await runCli(home, ['cancel', '--label', 'batch=7', '--json'])
    expect(refused.code).toBe(2)
    expect(errorOf(refused).message).toContain('--yes')
    const done = jsonOf(await runCli(home, ['cancel', '--label', 'batch=7', '--yes', '--wait', '--json']))
    expect(done['jobs']).toMatchObject([{ id }])
    expect((await runCli(home, ['cancel', id])).code).toBe(4)
    expect(jsonOf(await runCli(home, ['status', other, '--json']))).toMatchObject({ jobs: [{ final: false }] })
    expect((await runCli(home, ['cancel', other, '--wait'])).code).toBe(0)
  })

  it('rerun makes a linked job with what was overridden', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await submitScript(home, 'echo $WORD', '--env', 'WORD=one')
    await queue.ended(id)
    const again = await runCli(home, ['rerun', id, '--env', 'WORD=two', '--wait', '--json'])
    expect(again.code).toBe(0)
    const answer = jsonOf(again) as { id: string; job: { rerun_of: string } }
    expect(answer.job.rerun_of).toBe(id)
    expect(answer.id).not.toBe(id)
    expect((await runCli(home, ['logs', answer.id])).stdout).toBe('two\n')
  })
})

describe('the program itself', () => {
  it.each([
    [['bogus'], 'unknown command "bogus"'],
    [['help', 'bogus'], 'unknown command "bogus"'],
    [['manager', 'bogus'], 'unknown command "bogus"'],
    [['lsit'], 'Did you mean list?'],
    [['submit', 'ls', '-la'], 'Write: nightkiln submit -- ls -la'],
    [['submit', '--run-at', '1700000000000', '--', 'true'], '--run-at is "1700000000000"'],
    [['submit', '--timeout', '30d', '--', 'true'], '--timeout is 2592000'],
    [['new', '--client', ''], '--client'],
    [['setup', '--print', '--remove'], '--print and --remove'],
    [['list', '--bogus'], '--bogus'],
    [['wait'], 'ids'],
    [['submit'], 'no program'],
    [['submit', '--unit', 'a', '--range', '1..3', '--', 'true'], '--unit and --range'],
    [['submit', '--depends-on', 'x!', '--', 'true'], 'not a job id'],
    [['submit', '--max-failed', 'some', '--', 'true'], '--max-failed is "some"'],
    [['pause'], 'no job was named'],
    [['delete'], 'no job was named'],
    [['status', 'self'], '"self" names no job here'],
    [['queue', 'set', 'web'], 'no limit'],
    [['queue', 'set', 'a b', '--concurrency', '2'], '--queue is "a b"'],
    [['list', '--state', 'nowhere'], 'nowhere'],
    [['status', 'x!'], 'not a job id'],
    [['setup', '--client', 'emacs'], 'emacs'],
  ])('%j is refused with code 2, in words, without a stack', async (given, named) => {
    const people = await runCli(useTemporaryHome(), given)
    expect(people).toMatchObject({ code: 2, stdout: '' })
    expect(people.stderr).toContain(named)
    expect(people.stderr).not.toMatch(/\n\s+at /)
  })

  // A complaint of the parser, one of a group of commands, one of an option, one of the client.
  it.each([
    [['bogus'], 'unknown command "bogus"'],
    [['manager', 'bogus'], 'unknown command "bogus"'],
    [['submit', '--max-failed', 'some', '--', 'true'], '--max-failed is "some"'],
    [['status', 'x!'], 'not a job id'],
  ])('%j is refused as JSON, too', async (given, named) => {
    const json = await runProcess(useTemporaryHome(), ['--json', ...given])
    expect(json).toMatchObject({ code: 2, stdout: '' })
    expect(errorOf(json)).toMatchObject({ code: 'invalid_input', message: expect.stringContaining(named) })
  })

  it('a relative NIGHTKILN_HOME is refused by name', async () => {
    const home = useTemporaryHome()
    const result = await runProcess(home, ['list', '--json'], { environment: { NIGHTKILN_HOME: 'state' } })
    expect(result.code).toBe(9)
    expect(errorOf(result)).toMatchObject({ code: 'config_invalid' })
  })

  it('help and version start nothing', async () => {
    const home = useTemporaryHome()
    for (const given of [[], ['help'], ['manager'], ['help', 'manager', 'stop'], ['mcp', '--help']]) {
      const help = await runProcess(home, given)
      expect(help, given.join(' ')).toMatchObject({ code: 0, stderr: '' })
      expect(help.stdout).toContain('Usage: nightkiln')
      expect(help.stdout).not.toContain('display help')
    }
    expect((await runCli(home, ['mcp', '--help'])).stdout).toContain('over HTTP')
    expect((await runProcess(home, ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect((await runCli(home, ['submit', '--help'])).stdout).toContain('--idle-timeout')
    expect(existsSync(join(home.home, 'manager.json'))).toBe(false)
  })

  it('setup --print names absolute paths that exist, --dry-run writes nothing', async () => {
    const home = useTemporaryHome()
    const printed = JSON.parse((await runCli(home, ['setup', '--print', '--json', '--client', 'cursor'])).stdout) as {
      entry: { command: string; args: string[]; env: Record<string, string> }
    }[]
    const entry = printed[0]?.entry
    expect(existsSync(entry?.command ?? '')).toBe(true)
    expect(existsSync(entry?.args[0] ?? '')).toBe(true)
    expect(entry?.env['NIGHTKILN_HOME']).toBe(home.home)
    expect(await runCli(home, ['setup', '--remove'])).toMatchObject({ code: 0, stdout: 'nothing to remove\n' })
    const dry = await runCli(home, ['setup', '--client', 'cursor', '--dry-run'])
    expect(dry.code).toBe(0)
    expect(existsSync(join(home.home, '.cursor'))).toBe(false)
    expect((await runCli(home, ['setup', '--client', 'cursor'])).code).toBe(0)
    expect((await runCli(home, ['setup', '--dry-run'])).stderr).toContain(
      'not found: Claude Desktop (nightkiln setup claude-desktop writes it anyway)',
    )
    expect(JSON.parse(readFileSync(join(home.home, '.cursor', 'mcp.json'), 'utf8'))).toMatchObject({
      mcpServers: { nightkiln: { command: entry?.command } },
    })
  })
})
