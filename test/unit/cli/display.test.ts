import { describe, expect, it } from 'vitest'
import { logLine } from '../../../src/cli/commands/manager-logs.ts'
import { jobDetail } from '../../../src/cli/display/job-detail.ts'
import { jobTable } from '../../../src/cli/display/job-table.ts'
import { bar, jobProgressLine } from '../../../src/cli/display/progress-bar.ts'
import { formatAge } from '../../../src/cli/display/quantities.ts'
import { wantsColor } from '../../../src/cli/display/terminal.ts'
import { fitText, textWidth } from '../../../src/cli/display/text-width.ts'
import { fakeTerminal } from './fake-terminal.ts'
import { endedJob, jobView, someJobId } from './job-view.ts'

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
  it.each([40, 60, 80, 200])('fits a terminal of %d columns unless it is too narrow for name and bar', (columns) => {
    const { terminal } = fakeTerminal({ isTTY: true, columns })
    const progress = { current: 4, total: 10, percent: 40, message: `step ${'very long '.repeat(20)}`, stage: null }
    const line = jobProgressLine(jobView({ name: 'n'.repeat(60), progress }), terminal)
    expect(textWidth(line)).toBeLessThan(Math.max(columns, 72))
    expect(line).toContain('40 %')
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
