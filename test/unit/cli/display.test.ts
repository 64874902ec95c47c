import { describe, expect, it } from 'vitest'
import { logLine } from '../../../src/cli/commands/manager-logs.ts'
import { jobDetail } from '../../../src/cli/display/job-detail.ts'
import { jobTable } from '../../../src/cli/display/job-table.ts'
import { bar, jobProgressLine, progressText } from '../../../src/cli/display/progress-bar.ts'
import { formatAge } from '../../../src/cli/display/quantities.ts'
import { wantsColor } from '../../../src/cli/display/terminal.ts'
import { fitText, textWidth, wrapText } from '../../../src/cli/display/text-width.ts'
import { endedJob, jobView, someJobId } from '../../support/job-view.ts'
import { fakeTerminal } from './fake-terminal.ts'

const now = Date.parse('2030-01-01T00:01:00Z')
const evil = 'x\u001b[2Jy\u0007\u202ez\r\nq'

describe('text in columns', () => {
  it('counts wide and combining characters and cuts to the width', () => {
    expect(textWidth('日本a')).toBe(5)
    expect(textWidth('e\u0301')).toBe(1)
    expect(fitText('abcdef', 4)).toBe('abc…')
    expect(textWidth(fitText('日本語テキスト', 6))).toBeLessThanOrEqual(6)
    expect(fitText('abc', 3)).toBe('abc')
  })
})

describe('bars', () => {
  it.each([-5, 0, 33.3, 50, 99.9, 100, 250])('always have the asked width (%d %%)', (percent) => {
    expect(textWidth(bar(percent, 20, true))).toBe(20)
    expect(bar(percent, 20, false)).toHaveLength(22)
  })

  it('are full only at 100 %', () => {
    expect(bar(100, 10, false)).toBe('[##########]')
    expect(bar(99.9, 10, false)).toBe('[#########-]')
    expect(bar(0, 10, false)).toBe('[----------]')
  })
})

describe('a live line', () => {
  it.each([40, 60, 68, 80, 90, 200])('fits a terminal of %d columns', (columns) => {
    const { terminal } = fakeTerminal({ isTTY: true, columns })
    const progress = { current: 4, total: 10, percent: 40, message: `step ${'very long '.repeat(20)}`, stage: null }
    const line = jobProgressLine(jobView({ name: 'n'.repeat(60), progress }), terminal)
    expect(textWidth(line)).toBeLessThan(columns)
    expect(line).toContain('40 %')
  })

  it('fits in every state, however narrow the window is', () => {
    for (const columns of [10, 20, 30, 45]) {
      const { terminal } = fakeTerminal({ isTTY: true, columns })
      expect(textWidth(jobProgressLine(endedJob('completed_with_failures'), terminal))).toBeLessThan(columns)
    }
  })

  it('says nothing of a way that has neither begun nor an end', () => {
    const progress = { current: 0, total: null, percent: null, message: null, stage: null }
    expect(progressText(progress)).toBe('')
    expect(progressText({ ...progress, current: 7 })).toBe('7')
    expect(progressText({ ...progress, total: 9 })).toBe('0/9')
  })

  it('shows no control character that a job put into its name or message', () => {
    const { terminal } = fakeTerminal({ isTTY: true, columns: 200 })
    const progress = { current: 4, total: 10, percent: 40, message: evil, stage: evil }
    const line = jobProgressLine(jobView({ name: evil, progress }), terminal)
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  })
})

describe('detail and table', () => {
  it('escape everything that comes from jobs, also in several lines', () => {
    const { terminal } = fakeTerminal()
    const job = endedJob('failed', {
      name: evil,
      why: evil,
      labels: { [evil]: evil },
      result: { text: evil },
      error: { code: 'command_failed', message: evil, remedy: evil, untrusted_output_tail: `one\n${evil}` },
      params: { argv: [evil] },
    })
    const text = [...jobDetail(job, terminal, now), jobTable([job], terminal, now)].join('\n')
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(text).toContain('\\x1b[2J')
    expect(text).toContain('    | one')
  })

  it('shows whole ids in pipes and their ends in narrow terminals', () => {
    expect(jobTable([jobView()], fakeTerminal().terminal, now)).toContain(someJobId)
    const narrow = jobTable([jobView()], fakeTerminal({ isTTY: true, columns: 80 }).terminal, now)
    expect(narrow).not.toContain(someJobId)
    expect(narrow).toContain(someJobId.slice(-8))
  })

  it('cuts rows to a terminal and never in a pipe', () => {
    const job = jobView({ why: 'w'.repeat(300) })
    const narrow = jobTable([job], fakeTerminal({ isTTY: true, columns: 100 }).terminal, now)
    expect(Math.max(...narrow.split('\n').map(textWidth))).toBeLessThan(100)
    expect(narrow.split('\n')).toHaveLength(2)
    expect(jobTable([job], fakeTerminal().terminal, now)).toContain(job.why)
  })

  it.each([60, 80, 110])('keeps a row on one line of %d columns', (columns) => {
    const jobs = [
      endedJob('completed_with_failures', { name: 'n'.repeat(60), why: 'some words '.repeat(9) }),
      jobView({ progress: { current: 123_456, total: 234_567, percent: null, message: null, stage: null } }),
    ]
    const table = jobTable(jobs, fakeTerminal({ isTTY: true, columns }).terminal, now)
    expect(Math.max(...table.split('\n').map(textWidth))).toBeLessThan(columns)
    expect(table.split('\n')).toHaveLength(3)
    expect(table).toContain('n'.repeat(11))
    expect(table).toContain('completed_with_failures')
  })

  it('tells a failure once, and in words of the command line what to do', () => {
    const { terminal } = fakeTerminal()
    const error = { code: 'command_failed', message: 'exit code 3', remedy: 'Read job_logs; then rerun.' }
    const once = jobDetail(endedJob('failed', { why: 'failed: exit code 3', error }), terminal, now).join('\n')
    expect(once.match(/exit code 3/g)).toHaveLength(1)
    expect(once).toContain('command_failed')
    expect(once).toContain(`Read nightkiln logs ${someJobId}; then rerun.`)
    expect(jobDetail(endedJob('failed', { error }), terminal, now).join('\n')).toContain('command_failed: exit code 3')
  })

  it('breaks long lines at spaces, colours left out of the count', () => {
    expect(wrapText('one two three', 8, '  ')).toEqual(['one two', '  three'])
    expect(wrapText('a /very/long/path b', 6, ' ')).toEqual(['a', ' /very/long/path', ' b'])
    expect(wrapText('\u001b[31mone\u001b[39m two', 7, '')).toHaveLength(1)
  })

  it('tells ages in both directions', () => {
    expect(formatAge('2030-01-01T00:00:30Z', now)).toBe('30 s ago')
    expect(formatAge('2030-01-01T02:01:00Z', now)).toBe('in 2 h')
  })

  it('shows records of the log and lines that are none', () => {
    const { terminal } = fakeTerminal()
    expect(logLine('{"level":50,"time":1893456000000,"msg":"broken\\u001b[2J","code":"x"}', terminal)).toMatch(
      /error broken\\x1b\[2J code=x$/,
    )
    expect(logLine('plain\u001b[2J', terminal)).toBe('plain\\x1b[2J')
  })
})

describe('the terminal', () => {
  it('redraws a block in place and writes nothing when nothing changed', () => {
    const fake = fakeTerminal({ isTTY: true })
    fake.terminal.draw(['a', 'b'])
    const first = fake.stdout()
    fake.terminal.draw(['a', 'b'])
    expect(fake.stdout()).toBe(first)
    fake.terminal.draw(['c'])
    expect(fake.stdout().slice(first.length)).toBe('\r\u001b[2A\u001b[2Kc\n\u001b[0J')
  })

  it('goes back over the rows that its lines take after the window became narrower', () => {
    const size = { columns: 80 }
    const fake = fakeTerminal({ isTTY: true, size })
    fake.terminal.draw(['a'.repeat(70), 'b'])
    const first = fake.stdout()
    size.columns = 30
    expect(fake.terminal.columns).toBe(30)
    fake.terminal.draw(['c', 'b'])
    expect(fake.stdout().slice(first.length)).toBe('\r\u001b[4A\u001b[0J\u001b[2Kc\n\u001b[2Kb\n')
  })

  it('draws no more lines than the screen has', () => {
    const fake = fakeTerminal({ isTTY: true, size: { columns: 80, rows: 5 } })
    fake.terminal.draw(['a', 'b', 'c', 'd', 'e', 'f'])
    expect(fake.stdout().split('\n')).toHaveLength(5)
    expect(fake.stdout()).toContain('and 3 more')
  })

  it('never redraws where nobody watches, and keeps notes away from --json', () => {
    const pipe = fakeTerminal()
    pipe.terminal.draw(['a'])
    expect(pipe.stdout()).toBe('')
    const json = fakeTerminal({ isTTY: true, json: true })
    json.terminal.draw(['a'])
    json.terminal.note('note')
    json.terminal.value({ a: 1 })
    expect(JSON.parse(json.stdout())).toEqual({ a: 1 })
    expect(json.stderr()).toBe('')
  })

  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, false, false],
    [{ TERM: 'dumb' }, true, false],
  ])('colours by %j on a terminal (%s): %s', (environment, isTerminal, wanted) => {
    expect(wantsColor(environment, isTerminal)).toBe(wanted)
  })
})
