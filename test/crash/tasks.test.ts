import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Message } from '../protocol/support/front-end.ts'
import { countRuns, readLedger } from '../support/ledger-command.ts'
import { killManager } from '../support/manager-process.ts'
import { rounds } from '../support/rounds.ts'
import { seededRandom, testSeed } from './support-a/seeded-random.ts'
import {
  type Connected,
  resultOf,
  type Shape,
  structured,
  taskIdOf,
  untilStatus,
  useTaskWorld,
} from './support-tasks/task-world.ts'

const unknownTask = { code: -32602 }
const forms = { forms: true }
const kills = rounds(8, 20)

async function submit({ client }: Connected, input: Shape): Promise<string> {
  return (await structured(client.callTool('submit_job', input)))['id'] as string
}

describe('a task outlives its client, its front end and the manager', () => {
  test('made by submit_job: a new client gets the result under the old id', async () => {
    const world = useTaskWorld()
    const work = world.gated('survivor')
    const taskId = taskIdOf(await world.callAndDie('submit_job', { ...work.job, wait: true }))
    const later = world.connect()
    expect(resultOf(await later.client.request('tasks/get', { taskId }))).toMatchObject({ status: 'working' })
    work.open()
    const { result } = (await untilStatus(later, taskId, 'completed')) as { result: Shape }
    expect(result).toMatchObject({ structuredContent: { job: { name: 'survivor', state: 'completed', final: true } } })
    expect(countRuns(readLedger(world.directory)).get('survivor')).toEqual({ starts: 1, ends: 1 })
  })

  test('made by wait_for_jobs, whose jobs ended while nobody was there', async () => {
    const world = useTaskWorld()
    const work = [world.gated('first'), world.gated('second')]
    const before = world.connect()
    const ids = await Promise.all(work.map(({ job }) => submit(before, { ...job })))
    await Promise.all(work.map((one) => one.started()))
    const taskId = taskIdOf(await world.callAndDie('wait_for_jobs', { ids }))
    for (const one of work) one.open()
    await Promise.all(work.map((one) => one.ended()))
    const { result } = (await untilStatus(world.connect(), taskId, 'completed')) as { result: Shape }
    const jobs = ids.map((id) => expect.objectContaining({ id, state: 'completed' }))
    expect(result).toMatchObject({ structuredContent: { satisfied: true, jobs: expect.arrayContaining(jobs) } })
  })

  test('of a job that failed meanwhile: completed, with the error and its reason; deleted: unknown', async () => {
    const world = useTaskWorld()
    const work = world.gated('failing')
    const { shell, script, cwd } = work.job.params
    const params = { shell, script: `${script}\necho "no space left" >&2; exit 3`, cwd }
    const taskId = taskIdOf(await world.callAndDie('submit_job', { params, name: 'failing', wait: true }))
    const later = world.connect()
    work.open()
    const { result } = (await untilStatus(later, taskId, 'completed')) as { result: Shape }
    expect(result).toMatchObject({ isError: true })
    expect(JSON.stringify(result['content'])).toMatch(/exit code 3.*no space left/s)

    const { jobs } = (await structured(later.client.callTool('list_jobs', {}))) as { jobs: { id: string }[] }
    const ids = jobs.map(({ id }) => id)
    expect(await structured(later.client.callTool('delete_jobs', { ids }))).toMatchObject({ deleted: 1 })
    expect((await later.client.request('tasks/get', { taskId })).error).toMatchObject(unknownTask)
  })

  test('that waits for a review: the question is asked again, a refusal to answer leaves the hold', async () => {
    const world = useTaskWorld()
    const argv = ['sh', '-c', 'echo ran > "$0"', join(world.directory, '{{unit}}')]
    const batch = { params: { argv, cwd: world.directory }, units: ['a', 'b'], test_first: 1 }
    const taskId = taskIdOf(await world.callAndDie('submit_job', { ...batch, wait: true }))
    const keyOf = async (client: Connected) =>
      Object.keys((await untilStatus(client, taskId, 'input_required', forms))['inputRequests'] as Shape)[0] ?? ''
    const later = world.connect()
    const key = await keyOf(later)
    const answerWith = (client: Connected, answer: Shape) =>
      client.client.request('tasks/update', { taskId, inputResponses: { [key]: answer } }, forms)
    for (const action of ['decline', 'cancel']) resultOf(await answerWith(later, { action }))
    await killManager(world.home.home)
    expect(await keyOf(later)).toBe(key)
    expect(existsSync(join(world.directory, 'b'))).toBe(false)
    const approval = { action: 'accept', content: { decision: 'approve' } }
    for (const _ of [1, 2]) resultOf(await answerWith(later, approval))
    await untilStatus(later, taskId, 'completed', forms)
    expect(existsSync(join(world.directory, 'b'))).toBe(true)
  })
})

test('tasks/cancel from a new front end, sent twice: ends the job of submit_job, never that of a wait', async () => {
  const world = useTaskWorld()
  const [own, waited] = [world.gated('own'), world.gated('waited')]
  const before = world.connect()
  const id = await submit(before, { ...waited.job })
  const ofWait = taskIdOf(await before.client.callTool('wait_for_jobs', { ids: [id] }))
  await waited.started()
  const ofSubmit = taskIdOf(await world.callAndDie('submit_job', { ...own.job, wait: true }))
  const later = world.connect()
  for (const taskId of [ofWait, ofSubmit, ofWait, ofSubmit]) {
    expect(resultOf(await later.client.request('tasks/cancel', { taskId }))).toMatchObject({ resultType: 'complete' })
  }
  for (const taskId of [ofWait, ofSubmit]) await untilStatus(later, taskId, 'cancelled')
  await killManager(world.home.home)
  waited.open()
  const ended = await structured(later.client.callTool('wait_for_jobs', { ids: [id], timeout_s: 20 }))
  expect(ended).toMatchObject({ jobs: [{ state: 'completed' }] })
  expect(await structured(later.client.callTool('list_jobs', { text: 'own' }))).toMatchObject({
    jobs: [{ state: expect.stringMatching(/^cancell/) }],
  })
  await untilStatus(later, ofWait, 'cancelled')
})

test('the id of a task of another state directory, a made up one, and one with other letters are unknown', async () => {
  const [here, there] = [useTaskWorld(), useTaskWorld()]
  const [ours, theirs] = [here.connect(), there.connect()]
  const taskId = taskIdOf(await theirs.client.callTool('submit_job', { ...there.gated('theirs').job, wait: true }))
  const madeUp = randomBytes(16).toString('hex')
  for (const unknown of [taskId, madeUp, taskId.toUpperCase(), ` ${taskId}`, '', '../../task']) {
    for (const method of ['tasks/get', 'tasks/cancel']) {
      expect((await ours.client.request(method, { taskId: unknown })).error, unknown).toMatchObject(unknownTask)
    }
  }
  expect(resultOf(await theirs.client.request('tasks/get', { taskId }))).toMatchObject({ status: 'working' })
})

test(`front ends killed ${kills} times around their answer: whatever task was answered is found`, async () => {
  const seed = testSeed()
  const random = seededRandom(seed)
  const world = useTaskWorld()
  const later = world.connect()
  const queue = 'held'
  await structured(later.client.callTool('update_job', { queue, queue_concurrency: 1 }))
  await structured(later.client.callTool('pause_job', { queue }))
  let typicalMs = 0
  const answered: string[] = []

  /** @param killAfterMs null: in the moment of the answer */
  const callAndKill = async (number: number, killAfterMs: number | null) => {
    const { frontEnd, client } = world.connect()
    resultOf(await client.request('server/discover'))
    const sentAt = performance.now()
    let text = ''
    frontEnd.child.stdout.on('data', (piece: string) => {
      text += piece
      if (!text.includes('"call"')) return
      typicalMs ||= performance.now() - sentAt
      if (killAfterMs === null) frontEnd.child.kill('SIGKILL')
    })
    const input = { type: 'noop', params: {}, queue, idempotency_key: `kill-${number}`, wait: true }
    client.send('call', 'tools/call', { name: 'submit_job', arguments: input })
    if (killAfterMs !== null) await delay(killAfterMs).then(() => frontEnd.child.kill('SIGKILL'))
    await frontEnd.exit
    const answer = frontEnd.messages.find((message: Message) => message.id === 'call')
    if (answer !== undefined) answered.push(taskIdOf(answer))
  }

  await callAndKill(0, null)
  for (let number = 1; number < kills; number += 4) {
    const group = [number, number + 1, number + 2, number + 3].filter((one) => one < kills)
    await Promise.all(group.map((one) => callAndKill(one, one % 2 === 0 ? null : random() * typicalMs * 2)))
  }

  expect(answered.length, `seed ${seed}`).toBeGreaterThanOrEqual(kills / 2)
  for (const taskId of answered) {
    const task = resultOf(await later.client.request('tasks/get', { taskId }))
    expect(task, `seed ${seed}`).toMatchObject({ taskId, status: 'working' })
  }
  // A repeat of every call, as clients do that got no answer, makes no second job.
  for (let number = 0; number < kills; number += 1) {
    await submit(later, { type: 'noop', params: {}, queue, idempotency_key: `kill-${number}` })
  }
  const { jobs } = (await structured(later.client.callTool('list_jobs', { limit: 50 }))) as { jobs: unknown[] }
  expect(jobs).toHaveLength(kills)
})
