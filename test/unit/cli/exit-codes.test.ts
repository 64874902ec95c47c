import { describe, expect, it } from 'vitest'
import { outcomeExitCodes, waitExitCode } from '../../../src/cli/exit-codes.ts'
import { errorKinds } from '../../../src/domain/errors.ts'
import { endedJob, jobView } from '../../support/job-view.ts'

describe('the exit code of a wait', () => {
  it.each([
    ['all completed', [endedJob('completed'), endedJob('completed')], 0],
    ['one failed', [endedJob('completed'), endedJob('failed')], 6],
    ['one cancelled', [endedJob('cancelled'), endedJob('completed')], 10],
    ['failed before cancelled', [endedJob('cancelled'), endedJob('failed')], 6],
    ['completed with failures', [endedJob('completed_with_failures')], 11],
  ])('%s', (_, jobs, code) => {
    expect(waitExitCode({ satisfied: true, jobs, missing: [] })).toBe(code)
  })

  it('says that the time ran out, and that a job is missing', () => {
    expect(waitExitCode({ satisfied: false, jobs: [endedJob('failed'), jobView()], missing: [] })).toBe(12)
    expect(waitExitCode({ satisfied: true, jobs: [endedJob('completed')], missing: ['x'] })).toBe(3)
  })

  it('ignores jobs that still run when any end was enough', () => {
    expect(waitExitCode({ satisfied: true, jobs: [endedJob('completed'), jobView()], missing: [] })).toBe(0)
  })

  it('keeps outcomes apart from errors, but for a failed job, which shares the code of failures', () => {
    const errors = new Set<number>(Object.values(errorKinds).map((kind) => kind.exitCode))
    const shared = Object.values(outcomeExitCodes).filter((outcome) => errors.has(outcome.code))
    expect(shared).toEqual([outcomeExitCodes.job_failed])
  })
})
