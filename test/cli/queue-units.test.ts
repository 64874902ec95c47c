import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decideAnswer } from '../../src/domain/wire/control.ts'
import { addUnitsAnswer, listUnitsAnswer } from '../../src/domain/wire/units.ts'
import { distMain } from '../support/repository.ts'
import { type TemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { useQueue } from './queue.ts'
import { errorOf, jsonOf, runCli } from './run-cli.ts'

async function submit(home: TemporaryHome, ...given: readonly string[]): Promise<string> {
  const result = await runCli(home, ['submit', '--json', ...given])
  expect(result.code, result.stderr).toBe(0)
  return String(jsonOf(result)['id'])
}

async function jobOf(home: TemporaryHome, id: string): Promise<Record<string, unknown>> {
  const { jobs } = jsonOf(await runCli(home, ['status', id, '--json'])) as { jobs: Record<string, unknown>[] }
  return jobs[0] ?? {}
}

async function unitsOf(home: TemporaryHome, ...given: readonly string[]) {
  const result = await runCli(home, ['units', '--json', ...given])
  expect(result.code, result.stderr).toBe(0)
  return listUnitsAnswer.parse(jsonOf(result))
}

describe('units', () => {
  it('run once each, show in status and units, and failed ones run again alone', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await submit(
      home,
      '--range',
      '1..5',
      '--max-failed',
      '5',
      '--',
      'sh',
      '-c',
      'test $1 != 3',
      'x',
      '{{unit}}',
    )
    const waited = await runCli(home, ['wait', id, '--quiet'])
    expect(waited.code).toBe(11)
    const people = await runCli(home, ['status', id])
    expect(people.stdout).toContain('5/5 ended: 4 completed, 1 failed')
    expect((await runCli(home, ['list'])).stdout).toContain('5/5, 1 failed')
    const failed = await unitsOf(home, id, '--state', 'failed')
    expect(failed.units).toMatchObject([{ unit: 2, state: 'failed', exit_code: 1, untrusted_input: '3' }])
    expect(failed.counts).toMatchObject({ total: 5, completed: 4, failed: 1 })
    expect(failed.failure_groups).toMatchObject([{ count: 1, units: [2] }])
    const table = await runCli(home, ['units', id])
    expect(table.stdout).toContain('5 units: 4 completed, 1 failed')
    const again = jsonOf(await runCli(home, ['rerun', id, '--only', 'failed', '--json'])) as { id: string; job: object }
    expect(again.job).toMatchObject({ rerun_of: id, name: expect.stringContaining('(re-run)') })
    expect((await runCli(home, ['wait', again.id, '--quiet'])).code).not.toBe(0)
    expect((await unitsOf(home, again.id)).units).toMatchObject([{ untrusted_input: '3' }])
    const some = jsonOf(await runCli(home, ['rerun', id, '--units', '0,1', '--json'])) as { id: string }
    expect(await queue.ended(some.id)).toBe('completed')
    expect((await unitsOf(home, some.id)).counts.total).toBe(2)
  })

  it('come from files below the current directory, from lines, CSV and JSON', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    writeFileSync(join(home.home, 'a.in'), 'x')
    writeFileSync(join(home.home, 'b.in'), 'y')
    writeFileSync(join(home.home, 'c.skip.in'), 'z')
    writeFileSync(join(home.home, 'names.txt'), 'ada\n\ngrace\n')
    writeFileSync(join(home.home, 'rows.csv'), 'name;age\n"ada; b";36\n')
    writeFileSync(join(home.home, 'data.json'), '{"items":[{"n":1},{"n":2}]}')
    const cases: readonly (readonly [readonly string[], readonly unknown[]])[] = [
      [
        ['--glob', '*.in', '--exclude', '*.skip.in', '--', 'echo', '{{unit.stem}}'],
        ['a', 'b'],
      ],
      [
        ['--lines', 'names.txt', '--', 'echo', '{{unit}}'],
        ['ada', 'grace'],
      ],
      [['--csv', 'rows.csv', '--csv-delimiter', ';', '--', 'echo', '{{unit.name}}'], ['ada; b']],
      [
        ['--json-file', 'data.json', '--json-path', 'items', '--', 'echo', '{{unit.n}}'],
        ['1', '2'],
      ],
    ]
    for (const [given, printed] of cases) {
      const id = await submit(home, ...given)
      expect(await queue.ended(id), given.join(' ')).toBe('completed')
      const outputs: string[] = []
      for (let unit = 0; unit < printed.length; unit += 1)
        outputs.push((await runCli(home, ['logs', id, '--unit', String(unit)])).stdout.trim())
      expect(outputs.sort(), given.join(' ')).toEqual(printed)
    }
  })

  it('are added from within the job, each once, and from outside, until it is closed', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    // The first unit finds two more, one of them itself.
    const script = `test "$1" != first || node "$NK" add-units self --unit first --unit second`
    const environment = `NK=${distMain}`
    const path = `PATH=${dirname(process.execPath)}:/usr/bin:/bin`
    const id = await submit(
      home,
      ...['--unit', 'first', '--unit-key', '{{unit}}', '--keep-open', '--env', environment, '--env', path],
      ...['--', 'sh', '-c', script, 'x', '{{unit}}'],
    )
    await waitUntil(async () => (await queue.job(id)).counts?.completed === 2)
    expect((await unitsOf(home, id)).counts).toMatchObject({ completed: 2 })
    expect(await jobOf(home, id)).toMatchObject({ final: false, open: true })
    const added = addUnitsAnswer.parse(
      jsonOf(await runCli(home, ['add-units', id, '--unit', 'third', '--unit', 'second', '--close', '--json'])),
    )
    expect(added.given).toBe(2)
    expect(await queue.ended(id)).toBe('completed')
    expect((await unitsOf(home, id)).units.map((unit) => unit.untrusted_input.replaceAll('"', '')).sort()).toEqual([
      'first',
      'second',
      'third',
    ])
    expect((await runCli(home, ['add-units', id, '--unit', 'late', '--json'])).code).toBe(4)
  })

  it('a final step reads all results', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await submit(
      home,
      ...['--range', '1..3', '--final', 'wc -l < "$NIGHTKILN_RESULTS" > counted'],
      ...['--', 'sh', '-c', 'printf %s "$1" > "$NIGHTKILN_RESULT"', 'x', '{{unit}}'],
    )
    expect(await queue.ended(id)).toBe('completed')
    expect(readFileSync(join(home.home, 'counted'), 'utf8').trim()).toBe('3')
  })
})

describe('approve and reject', () => {
  it('a job held after its test units shows them and goes on only when it is approved', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const script = 'printf \'{"cost":0.5,"n":%s}\' "$1" > "$NIGHTKILN_RESULT"; echo run >> ran'
    const id = await submit(home, '--range', '1..5', '--test-first', '2', '--', 'sh', '-c', script, 'x', '{{unit}}')
    await waitUntil(async () => (await queue.state(id)) === 'awaiting_approval')
    const held = await jobOf(home, id)
    expect(held['review']).toMatchObject({
      units_run: 2,
      completed: 2,
      failed: 0,
      units_waiting: 3,
      cost: 1,
      rest_cost: 1.5,
    })
    expect(readFileSync(join(home.home, 'ran'), 'utf8')).toBe('run\nrun\n')
    expect(jsonOf(await runCli(home, ['new', '--json']))).toMatchObject({ needs_you: [{ id }] })
    const waited = await runCli(home, ['wait', id])
    expect([waited.code, waited.stderr]).toEqual([14, expect.stringContaining(`nightkiln approve ${id}`)])
    const shown = await runCli(home, ['status', id])
    expect(shown.stdout).toContain('2 test units ran: 2 completed')
    expect(shown.stdout).toContain('cost about 1.5')
    const approved = await runCli(home, ['approve', id])
    expect([approved.code, approved.stdout]).toEqual([0, expect.stringContaining('approved')])
    expect(await queue.ended(id)).toBe('completed')
    expect(readFileSync(join(home.home, 'ran'), 'utf8')).toBe('run\n'.repeat(5))
    const twice = await runCli(home, ['approve', id, '--json'])
    expect(twice.code).toBe(4)
    expect(errorOf(twice)).toMatchObject({ code: 'invalid_transition' })
  })

  it('a rejected one runs nothing more and keeps what it has', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const five = ['a', 'b', 'c', 'd', 'e'].flatMap((unit) => ['--unit', unit])
    const id = await submit(home, ...five, '--test-first', '1', '--shell', 'echo run >> ran')
    await waitUntil(async () => (await queue.state(id)) === 'awaiting_approval')
    const answer = decideAnswer.parse(jsonOf(await runCli(home, ['reject', id, '--json'])))
    expect(answer.job.id).toBe(id)
    expect(await queue.ended(id)).toBe('cancelled')
    expect(readFileSync(join(home.home, 'ran'), 'utf8')).toBe('run\n')
    expect((await unitsOf(home, id)).counts).toMatchObject({ completed: 1, total: 1 })
    expect(await jobOf(home, id)).toMatchObject({ units_waiting: 4 })
    const rerun = await runCli(home, ['rerun', id, '--only', 'not_completed', '--wait'])
    expect(rerun.code).toBe(0)
    expect(readFileSync(join(home.home, 'ran'), 'utf8')).toBe('run\n'.repeat(5))
  })
})

describe('send', () => {
  it('writes a line, standard input as it is, and ends the input', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await submit(home, '--interactive', '--', 'cat')
    await waitUntil(async () => (await queue.state(id)) === 'running')
    await waitUntil(async () => (await runCli(home, ['send', id, 'hello', 'you'])).code === 0)
    expect((await runCli(home, ['send', id], { stdin: 'from\na pipe\n' })).code).toBe(0)
    const ended = jsonOf(await runCli(home, ['send', id, '--end', '--json']))
    expect(ended).toMatchObject({ bytes: 0, ended: true })
    expect(await queue.ended(id)).toBe('completed')
    expect((await runCli(home, ['logs', id, '--all'])).stdout).toBe('hello you\nfrom\na pipe\n')
    const closed = await submit(home, '--shell', 'while [ ! -e go ]; do sleep 0.05; done')
    await waitUntil(async () => (await queue.state(closed)) === 'running')
    expect((await runCli(home, ['send', closed, 'x', '--json'])).code).toBe(4)
    expect(existsSync(join(home.home, 'go'))).toBe(false)
    expect((await runCli(home, ['cancel', closed, '--wait'])).code).toBe(0)
  })
})
