import { describe, expect, it } from 'vitest'
import { forCommandLine } from '../../../src/cli/display/for-command-line.ts'
import { withParametersOf } from '../../../src/cli/display/own-parameters.ts'
import { errorKinds, QueueError } from '../../../src/domain/errors.ts'
import { someJobId } from '../../support/job-view.ts'

describe('words of the manager at the command line', () => {
  it.each([
    ['Read job_logs; then rerun.', `Read nightkiln logs ${someJobId}; then rerun.`],
    [
      'Call job_status with detail "full" to see its units.',
      `Run nightkiln status --full ${someJobId} to see its units.`,
    ],
    [
      'Wait for it (wait_for_jobs) or cancel it first (cancel_job {"ids":["X"]}).',
      `Wait for it (nightkiln wait ${someJobId}) or cancel it first (nightkiln cancel X).`,
    ],
    ['wait_for_jobs {"ids":["X","Y"]} answers', 'nightkiln wait X Y answers'],
    ['The rest: job_logs {"id":"X","mode":"range","offset":5}.', 'The rest: nightkiln logs --all X.'],
    [
      'job_result {"id":"X","artifact":"a b.txt","unit":2} reads it',
      'nightkiln result --artifact "a b.txt" --unit 2 X reads it',
    ],
    ['rerun_job {"id":"X"} runs it again.', 'nightkiln rerun X runs it again.'],
    ['Call list_job_types (nightkiln types) and use one.', 'Run nightkiln types and use one.'],
    ['whats_new finds it in any later chat', 'nightkiln new finds it in any later chat'],
    [
      'up to 3 attempts; rerun_when_lost: false prevents that.',
      'up to 3 attempts; --no-rerun-when-lost prevents that.',
    ],
    ['not retried (max_attempts 1).', 'not retried (--max-attempts 1).'],
    ['Rerun with a longer timeout_s or idle_timeout_s.', 'Rerun with a longer --timeout or --idle-timeout.'],
    ['timeout_s is 2592000, but may be at most 604800', '--timeout is 2592000, but may be at most 604800'],
    ['name has 300 characters; queue is "a b"', '--name has 300 characters; --queue is "a b"'],
    ['labels.team is 3; params.env.A is 4', '--label team is 3; --env A is 4'],
    ['params.width is missing', '--param width is missing'],
    ['params.argv[2] is a script', 'word 2 of the command is a script'],
    ['{{unit.x}} in params.argv[1]: unit has no field', '{{unit.x}} in word 1 of the command: unit has no field'],
    ['overrides.backoff.initial_s is 0', '--backoff-initial is 0'],
    ['decide_job {"id":"X","decision":"approve"} runs the rest', 'nightkiln approve X runs the rest'],
    ['or decide_job {"id":"X","decision":"reject"}', 'or nightkiln reject X'],
    ['list_units {"id":"X","states":["failed"]} shows them', 'nightkiln units --state failed X shows them'],
    ['rerun_job {"id":"X","only":"failed"} repeats', 'nightkiln rerun --only failed X repeats'],
    ['pause_job {"queue":"gpu"}', 'nightkiln queue pause gpu'],
    ['update_job {"queue":"gpu"}', 'nightkiln queue set gpu'],
    ['add_units {"id":"X","close":true} closes it', 'nightkiln add-units --close X closes it'],
    ['job_logs {"id":"X","unit":3}', 'nightkiln logs --unit 3 X'],
    ['Use add_units while it is open.', `Use nightkiln add-units ${someJobId} while it is open.`],
    ['list_schedules {"name":"nightly","history":20} shows', 'nightkiln schedule runs nightly shows'],
    ['schedule_job {"name":"a b","enabled":false} holds it', 'nightkiln schedule pause "a b" holds it'],
    ['remove_schedule {"name":"x"}', 'nightkiln schedule remove x'],
    ['rerun_job {"id":"X","overrides":{…}} runs it again', 'nightkiln rerun X runs it again'],
    ['test_first is 5000; rate_limited.wait_s is 0', '--test-first is 5000; --rate-limited-wait is 0'],
    [
      'params has the unknown key "ulr"; valid: url, max_bytes, timeout_s, idle_s; timeout_s is 0',
      '--params has the unknown key "ulr"; valid: url, max_bytes, timeout_s, idle_s; --timeout is 0',
    ],
    ['params.timeout_s is text; params.max_attempts is 0', '--param timeout_s is text; --param max_attempts is 0'],
    ['params.mode is "x"; valid: run_at, max_bytes', '--param mode is "x"; valid: run_at, max_bytes'],
    ['labels.timeout_s is 3', '--label timeout_s is 3'],
    ['unknown argument "x"; valid: ids, timeout_s', 'unknown argument "x"; valid: ids, --timeout'],
    ['depends_on.0.id is "x"', '--depends-on is "x"'],
  ])('%s', (wire, told) => {
    expect(forCommandLine(wire, someJobId)).toBe(told)
    expect(forCommandLine(told, someJobId)).toBe(told)
  })

  it('calls a parameter of another type than command what it is', () => {
    const error = new QueueError('invalid_input', 'params.cwd is missing; params.env.A is 3; params has no timeout_s')
    const told = (type: string) => forCommandLine((withParametersOf(type, error) as QueueError).message)
    expect(told('command')).toBe('--cwd is missing; --env A is 3; --params has no --timeout')
    expect(told('copy')).toBe('--param cwd is missing; --param env.A is 3; --params has no --timeout')
  })

  it('leaves the rest of a sentence and quoted names alone', () => {
    for (const text of ['the name is taken', 'no file my_timeout_s.txt', 'the variable "timeout_s" is free'])
      expect(forCommandLine(text)).toBe(text)
  })

  it.each(Object.entries(errorKinds))('the remedy of %s names no tool and no argument of one', (_, kind) => {
    expect(forCommandLine(kind.remedy)).not.toMatch(/[a-z]+_[a-z]+/)
  })
})
