import { describe, expect, test } from 'vitest'
import { useManager } from './manager-under-test.ts'

const manager = useManager()
const later = { run_at: '2099-01-01T00:00:00Z' }
const unknownId = '01a20000-0000-7000-8000-000000000000'

describe('cancel_job', () => {
  test('queued, running, final and unknown jobs in one call', async () => {
    const queued = await manager.submit({ params: { argv: ['true'] }, ...later })
    const running = await manager.submit({ params: { argv: ['sleep', '600'] } })
    const final = await manager.run('true')
    const answer = await manager.client.call('cancel_job', { ids: [queued.id, running.id, final.id, unknownId] })
    expect(answer.jobs.map((job) => job.outcome)).toEqual(['cancelled', 'cancelling', 'already_final', 'not_found'])
    expect(answer.next).toBe(
      `wait_for_jobs {"ids":["${running.id}"]} tells when their processes are gone. No job has some of these ids; list_jobs {"limit":20} finds them.`,
    )
    const again = await manager.client.call('cancel_job', { ids: [final.id] })
    expect(again.next).toMatch(/^Nothing changed: it had ended before\. job_status \{"ids":\[.*\]\} shows how\.$/)
    expect(await manager.ended(running.id)).toMatchObject({ state: 'cancelled', attempts: 1 })
  })

  test('of no known job is an error, as for every other call', async () => {
    await expect(manager.client.call('cancel_job', { ids: [unknownId] })).rejects.toMatchObject({
      code: 'job_not_found',
      message: `no job has the id ${unknownId}`,
    })
  })

  test('by filter, and never everything by mistake', async () => {
    const labels = { sweep: 'one' }
    for (let number = 0; number < 3; number += 1) await manager.submit({ params: { argv: ['true'] }, labels, ...later })
    const other = await manager.submit({ params: { argv: ['true'] }, ...later })
    const answer = await manager.client.call('cancel_job', { filter: { labels } })
    expect(answer.jobs.map((job) => job.outcome)).toEqual(['cancelled', 'cancelled', 'cancelled'])
    const { jobs } = await manager.client.call('job_status', { ids: [other.id] })
    expect(jobs[0]?.state).toBe('scheduled')
    await expect(manager.client.call('cancel_job', { filter: {} })).rejects.toMatchObject({ code: 'invalid_input' })
    await expect(manager.client.call('cancel_job', {})).rejects.toMatchObject({ code: 'invalid_input' })
  })

  test('twice is the same as once', async () => {
    // It ignores TERM, so that all three come while it still runs.
    const { id } = await manager.submit({
      params: { shell: true, script: 'trap "" TERM; echo up; while :; do sleep 1; done' },
      cancel_grace_s: 1,
    })
    await expect.poll(async () => (await manager.client.call('job_logs', { id })).untrusted_output).toBe('up\n')
    const answers = await Promise.all([1, 2, 3].map(() => manager.client.call('cancel_job', { ids: [id] })))
    expect(answers.map((answer) => answer.jobs[0]?.outcome)).toEqual(['cancelling', 'cancelling', 'cancelling'])
    expect(await manager.ended(id)).toMatchObject({ state: 'cancelled' })
  })
})

describe('rerun_job', () => {
  const rerun = (id: string, overrides?: object) =>
    manager.client.call('rerun_job', {
      id,
      idempotency_key: `rerun-${id}-${JSON.stringify(overrides ?? {})}`,
      context: { environment: {}, cwd: null, submitted_by: 'another client' },
      ...(overrides === undefined ? {} : { overrides }),
    })

  test('runs the same again, in the same place and environment, linked and named', async () => {
    const first = await manager.run('pwd; echo "${PATH:+path}"', { name: 'daily', labels: { kept: 'yes' } })
    const { id, job } = await rerun(first.id)
    expect(job).toMatchObject({ name: 'daily (re-run)', rerun_of: first.id, labels: { kept: 'yes' } })
    await manager.ended(id)
    expect((await manager.client.call('job_logs', { id })).untrusted_output).toBe(`${manager.home}\npath\n`)
    const third = await rerun(id)
    expect(third.job).toMatchObject({ name: 'daily (re-run)', rerun_of: id })
  })

  test('overrides are merged over the parameters', async () => {
    const first = await manager.run('echo "$A $B"', { params: { env: { A: '1' } } })
    const { id } = await rerun(first.id, { params: { env: { A: '2', B: '3' } }, name: 'changed' })
    expect(await manager.ended(id)).toMatchObject({ name: 'changed', state: 'completed' })
    expect((await manager.client.call('job_logs', { id })).untrusted_output).toBe('2 3\n')
  })

  test('a command line in the other form replaces the first one', async () => {
    const first = await manager.run('echo shell')
    const { id } = await rerun(first.id, { params: { argv: ['echo', 'argv'] } })
    expect(await manager.ended(id)).toMatchObject({ state: 'completed' })
    const again = await rerun(id, { params: { shell: true, script: 'echo $((1 + 1))' } })
    await manager.ended(again.id)
    expect((await manager.client.call('job_logs', { id: again.id })).untrusted_output).toBe('2\n')
  })

  test('times below a millisecond and names that would be cut inside a character', async () => {
    const first = await manager.run('true', {
      idle_timeout_s: 600.0004,
      backoff: { initial_s: 0.0001 },
      name: `${'x'.repeat(189)}😀😀`,
    })
    const { id, job } = await rerun(first.id)
    expect(job.name).not.toMatch(/\p{Surrogate}/u)
    expect(job.name.endsWith(' (re-run)')).toBe(true)
    expect(await manager.ended(id)).toMatchObject({ state: 'completed' })
  })

  test('the same key gives one re-run; an unfinished or unknown job is refused', async () => {
    const first = await manager.run('true')
    const [one, two] = await Promise.all([rerun(first.id), rerun(first.id)])
    expect(one?.id).toBe(two?.id)
    const { id } = await manager.submit({ params: { argv: ['true'] }, ...later })
    await expect(rerun(id)).rejects.toMatchObject({ code: 'invalid_transition' })
    await expect(rerun(unknownId)).rejects.toMatchObject({ code: 'job_not_found' })
  })
})
