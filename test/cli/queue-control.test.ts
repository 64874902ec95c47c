import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pauseAnswer, updateAnswer } from '../../src/domain/wire/control.ts'
import { deleteAnswer, exportAnswer } from '../../src/domain/wire/history.ts'
import { readStat } from '../support/proc.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { useQueue } from './queue.ts'
import { errorOf, jsonOf, runCli, submitScript } from './run-cli.ts'

const untilGo = 'while [ ! -e go ]; do sleep 0.05; done'

describe('pause and resume', () => {
  it('a paused job starts nothing, survives a restart of the manager, and goes on when resumed', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const blocker = await queue.submit(untilGo, { queue: 'one' })
    expect((await runCli(home, ['queue', 'set', 'one', '--concurrency', '1'])).code).toBe(0)
    const id = await queue.submit('echo ran > ran', { queue: 'one' })
    const paused = pauseAnswer.parse(jsonOf(await runCli(home, ['pause', id, '--json'])))
    expect(paused.jobs).toMatchObject([{ id, outcome: 'paused' }])
    expect((await runCli(home, ['manager', 'stop'])).code).toBe(0)
    writeFileSync(join(home.home, 'go'), '')
    expect(await queue.ended(blocker)).toBe('completed')
    expect(await queue.state(id)).toBe('paused')
    expect(existsSync(join(home.home, 'ran'))).toBe(false)
    const table = await runCli(home, ['resume', id])
    expect(table.stdout).toMatch(/resumed/)
    expect(await queue.ended(id)).toBe('completed')
    expect((await runCli(home, ['pause', id])).code).toBe(4)
    expect((await runCli(home, ['pause', '01a200a5-580e-7e89-ad89-2a6f000561a2'])).code).toBe(3)
  })

  it('by filter, and a queue itself', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    expect((await runCli(home, ['queue', 'pause', 'nihgt', '--json'])).code).not.toBe(0)
    expect((await runCli(home, ['queue', 'set', 'night', '--concurrency', '4'])).code).toBe(0)
    expect((await runCli(home, ['queue', 'pause', 'night'])).stdout).toMatch(/queue night {2}paused/)
    const first = await queue.submit('true', { queue: 'night', labels: { batch: '7' } })
    const second = await queue.submit('true', { queue: 'night' })
    expect(await queue.state(first)).toBe('paused')
    const some = pauseAnswer.parse(jsonOf(await runCli(home, ['pause', '--label', 'batch=7', '--json'])))
    expect(some.jobs.map((job) => job.id)).toEqual([first])
    expect((await runCli(home, ['queue', 'list'])).stdout).toMatch(/night\s+paused/)
    expect((await runCli(home, ['resume', '--queue', 'night'])).code).toBe(0)
    expect(await queue.ended(second)).toBe('completed')
    expect(await queue.state(first)).toBe('paused')
    const mixed = await runCli(home, ['pause', '--queue', 'night', '--label', 'a=1', '--json'])
    expect(mixed.code).toBe(2)
    expect(errorOf(mixed).message).toContain('--queue was given together')
    expect((await runCli(home, ['resume', '--all'])).code).toBe(0)
    expect(await queue.ended(first)).toBe('completed')
  })

  it('--freeze suspends the processes of a command until it is resumed', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await queue.submit(`echo $$ > pid; ${untilGo}`)
    const pid = await waitUntil(() => Number(readFileSync(join(home.home, 'pid'), 'utf8')) || null)
    const frozen = pauseAnswer.parse(jsonOf(await runCli(home, ['pause', '--freeze', id, '--json'])))
    expect(frozen.jobs).toMatchObject([{ id, outcome: 'frozen' }])
    await waitUntil(() => readStat(pid)?.state === 'T', { what: 'a stopped process' })
    writeFileSync(join(home.home, 'go'), '')
    expect(await queue.state(id)).toBe('paused')
    expect((await runCli(home, ['resume', id])).code).toBe(0)
    expect(await queue.ended(id)).toBe('completed')
  })
})

describe('update', () => {
  it('changes an unfinished job and refuses a final one', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = await submitScript(home, 'true', '--run-at', '2h', '--label', 'a=1')
    const changed = updateAnswer.parse(
      jsonOf(
        await runCli(home, [
          ...['update', id, '--json', '--priority', 'urgent', '--label', 'b=2', '--remove-label', 'a', '--name', 'new'],
        ]),
      ),
    )
    expect(changed.job).toMatchObject({ priority: 'urgent', labels: { b: '2' }, name: 'new', state: 'scheduled' })
    expect((await runCli(home, ['update', id, '--run-at', '1s'])).code).toBe(0)
    expect(await queue.ended(id)).toBe('completed')
    expect((await runCli(home, ['update', id, '--priority', 'low'])).code).toBe(4)
    expect((await runCli(home, ['update', id])).code).toBe(2)
  })
})

describe('dependencies', () => {
  it('a job waits for another and reads its result by name', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const fit = await queue.submit(`${untilGo}; printf '{"slope":2}' > "$NIGHTKILN_RESULT"`)
    const sample = jsonOf(
      await runCli(home, [
        'submit',
        '--json',
        '--depends-on',
        `${fit.slice(-8)}:fit`,
        '--',
        'echo',
        '{{fit.result.slope}}',
      ]),
    ) as { id: string }
    expect(await queue.state(sample.id)).toBe('blocked')
    expect((await runCli(home, ['status', sample.id])).stdout).toContain(`fit = ${fit}: until it has completed`)
    writeFileSync(join(home.home, 'go'), '')
    expect(await queue.ended(sample.id)).toBe('completed')
    expect((await runCli(home, ['logs', sample.id])).stdout).toBe('2\n')
  })

  it('is cancelled when the other fails, unless it only waits for its end', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const failing = await queue.submit(`${untilGo}; exit 1`)
    const strict = await submitScript(home, 'true', '--depends-on', failing)
    const loose = await submitScript(home, 'true', '--depends-on', `${failing}::ended`)
    writeFileSync(join(home.home, 'go'), '')
    expect(await queue.ended(strict)).toBe('cancelled')
    expect(await queue.ended(loose)).toBe('completed')
  })
})

describe('delete and export', () => {
  it('a filter without --yes only shows; with it finished jobs go and unfinished ones stay', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const done = await queue.submit('true', { labels: { batch: '7' } })
    const later = await submitScript(home, 'true', '--label', 'batch=7', '--run-at', '2h')
    await queue.ended(done)
    const shown = await runCli(home, ['delete', '--label', 'batch=7'])
    expect(shown.code).toBe(2)
    expect(shown.stdout).toContain('would delete 1 job')
    expect(shown.stdout).toContain(done)
    expect(shown.stderr).toContain('needs --yes; nothing was deleted')
    expect((await runCli(home, ['delete', '--label', 'batch=7', '--dry-run'])).code).toBe(0)
    expect(await queue.state(done)).toBe('completed')
    const kept = await runCli(home, ['delete', later, '--json'])
    expect(kept.code).toBe(4)
    expect(deleteAnswer.parse(jsonOf(kept))).toMatchObject({ deleted: 0, kept: [{ id: later }] })
    const gone = deleteAnswer.parse(jsonOf(await runCli(home, ['delete', '--all', '--yes', '--json'])))
    expect(gone).toMatchObject({ deleted: 1, ids: [done], dry_run: false })
    expect((await runCli(home, ['status', done])).code).toBe(3)
    expect(await queue.state(later)).toBe('scheduled')
  })

  it('writes jobs and units into a new file, in the format of its name', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const id = jsonOf(
      await runCli(home, [
        'submit',
        '--json',
        '--name',
        'a "quoted", name',
        '--range',
        '1..3',
        '--',
        'echo',
        '{{unit}}',
      ]),
    )['id'] as string
    await queue.ended(id)
    const csv = await runCli(home, ['export', '--output', 'jobs.csv'])
    expect(csv.code, csv.stderr).toBe(0)
    expect(csv.stdout).toBe(`${join(home.home, 'jobs.csv')}\n`)
    expect(readFileSync(join(home.home, 'jobs.csv'), 'utf8')).toContain('"a ""quoted"", name"')
    const units = exportAnswer.parse(jsonOf(await runCli(home, ['export', id, '--units', '--json'])))
    expect(units.rows).toBe(3)
    const lines = readFileSync(units.file, 'utf8').trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toHaveLength(3)
    expect((await runCli(home, ['export', '--output', 'jobs.csv'])).code).not.toBe(0)
    expect((await runCli(home, ['export', id, '--output', 'report.md'])).code).toBe(0)
    expect(readFileSync(join(home.home, 'report.md'), 'utf8')).toContain('|')
  })
})

describe('limits', () => {
  it('a queue keeps to its concurrency and its rate is shown', async () => {
    const home = useTemporaryHome()
    const queue = useQueue(home)
    const set = await runCli(home, ['queue', 'set', 'web', '--concurrency', '1', '--rate', '10/60s'])
    expect(set.stdout).toMatch(/queue web {2}open {2}0 running, 1 at once, 10 in 1 m/)
    const script = 'mkdir held || exit 9; sleep 0.1; rmdir held'
    const ids = [1, 2, 3].map(() => queue.submit(script, { queue: 'web' }))
    for (const id of await Promise.all(ids)) expect(await queue.ended(id)).toBe('completed')
    const lifted = await runCli(home, ['queue', 'set', 'web', '--concurrency', 'none', '--rate', 'none', '--json'])
    expect(updateAnswer.parse(jsonOf(lifted)).queue).toMatchObject({ concurrency: null, rate_limit: null })
  })
})
