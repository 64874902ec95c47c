import { describe, expect, it } from 'vitest'
import type { Session } from '../../../src/cli/session.ts'
import { watchJobs } from '../../../src/cli/watch-jobs.ts'
import type { ManagerClient } from '../../../src/client/manager-client.ts'
import { longestWaitSeconds, type WaitAnswer, type WaitRequest } from '../../../src/domain/wire/jobs.ts'
import type { JobView } from '../../../src/domain/wire/shared.ts'
import { endedJob, jobView, someJobId } from '../../support/job-view.ts'
import { fakeTerminal } from './fake-terminal.ts'

/** A manager that answers the given looks in turn; each poll that is not satisfied takes its whole time. */
function fakeWatch(looks: readonly JobView[][], options: { isTTY?: boolean; json?: boolean } = {}) {
  const fake = fakeTerminal(options)
  const asked: WaitRequest[] = []
  let now = 0
  const client = {
    call: async (_: string, request: WaitRequest): Promise<WaitAnswer> => {
      const jobs = looks[Math.min(asked.length, looks.length - 1)] ?? []
      asked.push(request)
      if (!jobs.every((job) => job.final)) now += (request.timeout_s ?? 25) * 1000
      return { satisfied: false, jobs, missing: [], waited_s: 0, cursor: String(asked.length), next: '' }
    },
  } as unknown as ManagerClient
  const session = {
    terminal: fake.terminal,
    json: options.json === true,
    now: () => now,
    interrupted: new AbortController().signal,
  } as Session
  return { fake, asked, client, session }
}

const all = { ids: [someJobId], until: 'all_ended' } as const

describe('watching jobs', () => {
  it('repeats polls of the longest allowed time until the end', async () => {
    const watch = fakeWatch([[jobView()], [jobView()], [endedJob('completed')]], { json: true })
    const answer = await watchJobs(watch.session, watch.client, all)
    expect(answer).toMatchObject({ satisfied: true, waited_s: 2 * longestWaitSeconds })
    expect(watch.asked.map((request) => request.timeout_s)).toEqual([45, 45, 45])
    expect(watch.fake.stdout()).toBe('')
  })

  it('waits no longer than asked, over several polls', async () => {
    const watch = fakeWatch([[jobView()]], { json: true })
    const answer = await watchJobs(watch.session, watch.client, { ...all, timeoutMs: 100_000 })
    expect(answer).toMatchObject({ satisfied: false, waited_s: 100 })
    expect(watch.asked.map((request) => request.timeout_s)).toEqual([45, 45, 10])
  })

  it('ends with the first for any_ended, and at once when every job is missing', async () => {
    const two = fakeWatch([[jobView(), endedJob('failed')]], { json: true })
    expect(await watchJobs(two.session, two.client, { ...all, until: 'any_ended' })).toMatchObject({ satisfied: true })
    const none = fakeWatch([[]], { json: true })
    await watchJobs(none.session, none.client, { ...all, timeoutMs: 0 })
    expect(none.asked).toHaveLength(1)
  })

  it('in a pipe prints a line per change of state or ten percent, and passes the cursor on', async () => {
    const at = (percent: number) => [
      jobView({ progress: { current: percent, total: 100, percent, message: null, stage: null } }),
    ]
    const watch = fakeWatch([at(1), at(5), at(12), at(19), [endedJob('completed')]])
    await watchJobs(watch.session, watch.client, all)
    expect(
      watch.fake
        .stdout()
        .trim()
        .split('\n')
        .map((line) => line.split('  ').slice(1, 3)),
    ).toEqual([
      ['running', '1 %'],
      ['running', '12 %'],
      ['completed', 'completed'],
    ])
    expect(watch.asked.map((request) => request.cursor)).toEqual([undefined, '1', '2', '3', '4'])
  })

  it('on a terminal redraws often and leaves the last picture', async () => {
    const watch = fakeWatch([[jobView()], [endedJob('completed')]], { isTTY: true })
    await watchJobs(watch.session, watch.client, all)
    expect(watch.asked.map((request) => request.timeout_s)).toEqual([0.5, 0.5])
    expect(watch.fake.stdout()).toContain('\u001b[1A')
    expect(watch.fake.stdout().endsWith('\n')).toBe(true)
  })
})
