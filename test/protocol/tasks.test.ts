import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { type FrontEnd, type Message, startFrontEnd } from './support/front-end.ts'
import { type ModernClient, type ModernOptions, modernClient } from './support/modern-client.ts'

type Shape = Record<string, unknown>

interface World {
  readonly frontEnd: FrontEnd
  readonly client: ModernClient
  /** Ends the commands that wait for a gate. */
  release(gate?: string): void
  /** Arguments of a submit whose command runs until it is released. */
  readonly blocked: Shape
  readonly blockedBy: (gate: string) => Shape
}

function world(): World {
  const home = useTemporaryHome()
  const frontEnd = startFrontEnd(home)
  const file = (gate: string) => join(home.home, gate)
  const blockedBy = (gate: string) => ({
    params: { shell: true, script: `while [ ! -e '${file(gate)}' ]; do sleep 0.02; done; echo done`, cwd: home.home },
    name: `waits for the ${gate}`,
  })
  return {
    frontEnd,
    client: modernClient(frontEnd),
    release: (gate = 'gate') => writeFileSync(file(gate), ''),
    blocked: blockedBy('gate'),
    blockedBy,
  }
}

function resultOf(message: Message): Shape {
  expect(message.error, JSON.stringify(message.error)).toBeUndefined()
  return message.result as Shape
}
const structured = (message: Message) => resultOf(message)['structuredContent'] as Shape

async function taskOf(client: ModernClient, tool: string, input: Shape, options?: ModernOptions): Promise<string> {
  const handle = resultOf(await client.callTool(tool, input, options))
  expect(handle).toMatchObject({ resultType: 'task', status: expect.any(String), ttlMs: null })
  return handle['taskId'] as string
}

async function untilStatus(
  client: ModernClient,
  taskId: string,
  status: string,
  options?: ModernOptions,
): Promise<Shape> {
  return await waitUntil(
    async () => {
      const task = resultOf(await client.request('tasks/get', { taskId }, options))
      return task['status'] === status ? task : undefined
    },
    { what: `the task is ${status}` },
  )
}

test('a submit that waits is a task where the request takes one, and ends as the tool would have answered', async () => {
  const { client, blocked, release } = world()
  const handle = resultOf(await client.callTool('submit_job', { ...blocked, wait: true }))
  expect(handle).toMatchObject({
    resultType: 'task',
    taskId: expect.stringMatching(/^[0-9a-f]{32}$/),
    status: 'working',
    statusMessage: expect.any(String),
    createdAt: expect.any(String),
    lastUpdatedAt: expect.any(String),
    ttlMs: null,
    pollIntervalMs: expect.any(Number),
  })
  const { taskId } = handle as { taskId: string }
  expect(resultOf(await client.request('tasks/get', { taskId }))).toMatchObject({
    resultType: 'complete',
    status: 'working',
  })
  release()
  const { result } = (await untilStatus(client, taskId, 'completed')) as { result: Shape }
  expect(result).toMatchObject({
    structuredContent: { id: expect.any(String), existing: false, job: { state: 'completed', final: true } },
  })
  const [text] = result['content'] as { text: string }[]
  expect(JSON.parse(text?.text ?? '')).toEqual(result['structuredContent'])
})

test('without the extension nothing is a task: the submit waits itself', async () => {
  const { client, blocked, release } = world()
  const answer = client.callTool('submit_job', { ...blocked, wait: true }, { tasks: false })
  release()
  expect(await answer.then(structured)).toMatchObject({ job: { state: 'completed' } })
})

test('a job that failed completes its task with an error that says why', async () => {
  const { client } = world()
  const params = { shell: true, script: 'echo first; echo "Error: no such table" >&2; exit 3', cwd: '/tmp' }
  const taskId = await taskOf(client, 'submit_job', { params, name: 'fails', wait: true })
  const { result } = (await untilStatus(client, taskId, 'completed')) as { result: Shape }
  expect(result['isError']).toBe(true)
  const [text] = result['content'] as { text: string }[]
  expect(text?.text).toMatch(
    /"fails"\) failed after 1 attempt: exit code 3\. command_failed: .*no such table.*rerun_job \{"id":/s,
  )
})

test('a wait answers at once when it can, or when a time was given; else it is a task', async () => {
  const { client, blocked, release } = world()
  const { id } = structured(await client.callTool('submit_job', blocked)) as { id: string }
  expect(structured(await client.callTool('wait_for_jobs', { ids: [id], timeout_s: 0 }))).toMatchObject({
    satisfied: false,
  })
  const taskId = await taskOf(client, 'wait_for_jobs', { ids: [id] })
  release()
  const { result } = (await untilStatus(client, taskId, 'completed')) as { result: Shape }
  expect(result['structuredContent']).toMatchObject({ satisfied: true, jobs: [{ id, state: 'completed' }] })
  expect(structured(await client.callTool('wait_for_jobs', { ids: [id] }))).toMatchObject({ satisfied: true })
})

test('a cancel of a wait leaves the job alone, that of a submit ends it, and both may be repeated', async () => {
  const { client, blocked } = world()
  const submitted = structured(await client.callTool('submit_job', blocked)) as { id: string }
  const wait = await taskOf(client, 'wait_for_jobs', { ids: [submitted.id] })
  for (const _ of [1, 2])
    expect(resultOf(await client.request('tasks/cancel', { taskId: wait }))).toMatchObject({ resultType: 'complete' })
  await untilStatus(client, wait, 'cancelled')
  expect(structured(await client.callTool('job_status', { ids: [submitted.id] }))).toMatchObject({
    jobs: [{ final: false }],
  })

  const own = await taskOf(client, 'submit_job', { ...blocked, idempotency_key: 'own', wait: true })
  for (const _ of [1, 2]) resultOf(await client.request('tasks/cancel', { taskId: own }))
  await untilStatus(client, own, 'cancelled')
  const { id } = structured(await client.callTool('submit_job', { ...blocked, idempotency_key: 'own' })) as {
    id: string
  }
  const ended = await client.callTool('wait_for_jobs', { ids: [id], timeout_s: 20 })
  expect(structured(ended)).toMatchObject({ jobs: [{ state: 'cancelled' }] })
  resultOf(await client.callTool('cancel_job', { ids: [submitted.id] }))
})

test('tasks are for requests that declare them, and unknown ones are told apart from nothing', async () => {
  const { client } = world()
  const taskId = 'f'.repeat(32)
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    const params = method === 'tasks/update' ? { taskId, inputResponses: {} } : { taskId }
    expect((await client.request(method, params, { tasks: false })).error).toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } },
    })
    expect((await client.request(method, params)).error).toMatchObject({ code: -32602 })
    expect((await client.request(method, { ...params, taskId: '../x' })).error).toMatchObject({ code: -32602 })
  }
  expect((await client.request('tasks/list')).error).toMatchObject({ code: -32601 })
  expect((await client.request('tasks/result', { taskId })).error).toMatchObject({ code: -32601 })
})

const batch = (home: string) => ({
  params: { argv: ['sh', '-c', 'echo ran >> "$0"', join(home, '{{unit}}')], cwd: home },
  units: ['a', 'b', 'c'],
  test_first: 1,
  name: 'batch',
})
const held = { forms: true }

test('a job that waits for approval asks through its task; only an accepted form decides', async () => {
  const home = useTemporaryHome()
  const client = modernClient(startFrontEnd(home))
  const taskId = await taskOf(client, 'submit_job', { ...batch(home.home), wait: true }, held)
  const asked = await untilStatus(client, taskId, 'input_required', held)
  const requests = asked['inputRequests'] as Record<string, Shape>
  const [key = ''] = Object.keys(requests)
  expect(requests[key]).toMatchObject({
    method: 'elicitation/create',
    params: { mode: 'form', message: expect.stringContaining('"batch"'), requestedSchema: { required: ['decision'] } },
  })
  // Who cannot show forms is told in words.
  expect(await untilStatus(client, taskId, 'working')).toMatchObject({
    statusMessage: expect.stringContaining('approv'),
  })
  for (const answer of [
    { action: 'decline' },
    { action: 'cancel' },
    { action: 'accept', content: { decision: 'yes' } },
  ]) {
    resultOf(await client.request('tasks/update', { taskId, inputResponses: { [key]: answer, other: answer } }, held))
    expect(resultOf(await client.request('tasks/get', { taskId }, held))).toMatchObject({ status: 'input_required' })
  }
  const approve = { action: 'accept', content: { decision: 'approve' } }
  resultOf(await client.request('tasks/update', { taskId, inputResponses: { [key]: approve } }, held))
  const { result } = (await untilStatus(client, taskId, 'completed', held)) as { result: Shape }
  expect(result['structuredContent']).toMatchObject({ job: { state: 'completed', counts: { completed: 3 } } })
  expect(existsSync(join(home.home, 'c'))).toBe(true)
})

test('a wait that comes to a question asks where no task is taken, and decide_job asks when it is not told', async () => {
  const home = useTemporaryHome()
  const client = modernClient(startFrontEnd(home))
  const options = { tasks: false, forms: true }
  const { id } = structured(await client.callTool('submit_job', batch(home.home), options)) as { id: string }
  const asked = resultOf(await client.callTool('wait_for_jobs', { ids: [id] }, options))
  expect(asked).toMatchObject({ resultType: 'input_required' })
  const [key = ''] = Object.keys(asked['inputRequests'] as Shape)
  const again = (name: string, input: Shape, answer: Shape) =>
    client.request('tools/call', { name, arguments: input, inputResponses: { [key]: answer } }, options)

  const declined = await again('wait_for_jobs', { ids: [id], timeout_s: 1 }, { action: 'decline' })
  expect(structured(declined)).toMatchObject({ satisfied: false, jobs: [{ state: 'awaiting_approval' }] })
  const silent = resultOf(await again('decide_job', { id }, { action: 'cancel' }))
  expect(silent).toMatchObject({ isError: true })
  expect(JSON.stringify(silent['content'])).toContain('it stays held')
  expect(resultOf(await client.callTool('decide_job', { id }, options))).toMatchObject({ resultType: 'input_required' })
  const told = resultOf(await client.callTool('decide_job', { id }, { tasks: false }))
  expect(JSON.stringify(told['content'])).toContain('this client cannot ask its user')

  const rejected = await again('decide_job', { id }, { action: 'accept', content: { decision: 'reject' } })
  expect(structured(rejected)).toMatchObject({ job: { state: expect.stringMatching(/cancel/) } })
  expect(existsSync(join(home.home, 'c'))).toBe(false)
})

test('a listener is told of its tasks, its resources and nothing else', async () => {
  const { frontEnd, client, blocked, blockedBy, release } = world()
  const taskId = await taskOf(client, 'submit_job', { ...blocked, wait: true })
  const { jobs } = structured(await client.callTool('list_jobs', {})) as { jobs: { id: string }[] }
  const uri = `job://${jobs[0]?.id}`
  const unknown = 'e'.repeat(32)
  const notifications = { taskIds: [taskId, unknown], resourceSubscriptions: [uri, `nightkiln-task:${unknown}`] }

  client.send('listen', 'subscriptions/listen', { notifications }, { tasks: false })
  expect((await frontEnd.answerTo('listen')).error).toMatchObject({ code: -32021 })
  client.send('heard', 'subscriptions/listen', { notifications })
  const told = (method: string) => frontEnd.messages.filter((message) => message.method === method)
  const [acknowledged] = await waitUntil(() => {
    const found = told('notifications/subscriptions/acknowledged')
    return found.length > 0 ? found : undefined
  })
  expect(acknowledged?.params).toMatchObject({ notifications: { taskIds: [taskId], resourceSubscriptions: [uri] } })

  release()
  const done = await waitUntil(() =>
    told('notifications/tasks').find(({ params }) => params?.['status'] === 'completed'),
  )
  expect(done.params).toMatchObject({
    taskId,
    _meta: { 'io.modelcontextprotocol/subscriptionId': 'heard' },
    result: { structuredContent: { job: { state: 'completed' } } },
  })
  await waitUntil(() => told('notifications/resources/updated').some(({ params }) => params?.['uri'] === uri))
  expect(JSON.stringify(frontEnd.messages)).not.toContain('nightkiln-task:')

  // Cancelled, it hears nothing more; a second listener shows that something was told.
  frontEnd.send({ method: 'notifications/cancelled', params: { requestId: 'heard' } })
  const next = await taskOf(client, 'submit_job', { ...blockedBy('other gate'), wait: true })
  client.send('again', 'subscriptions/listen', { notifications: { taskIds: [next] } })
  release('other gate')
  await waitUntil(() => told('notifications/tasks').some(({ params }) => params?.['taskId'] === next) || undefined)
  const stamps = told('notifications/tasks').map(
    ({ params }) => (params?.['_meta'] as Shape | undefined)?.['io.modelcontextprotocol/subscriptionId'],
  )
  expect(stamps.slice(stamps.indexOf('again')).every((stamp) => stamp === 'again')).toBe(true)
})

test('many waits at once all become tasks, and each listener hears of the end of each once', async () => {
  const { frontEnd, client, blocked, release } = world()
  const { id } = structured(await client.callTool('submit_job', blocked)) as { id: string }
  // More than the long polls that a front end allows, and more than the listeners that Node.js allows unasked.
  const waits = Array.from({ length: 60 }, () => taskOf(client, 'wait_for_jobs', { ids: [id] }))
  const taskIds = await Promise.all(waits)
  const told = (method: string) => frontEnd.messages.filter((message) => message.method === method)
  for (const listener of ['one', 'two']) client.send(listener, 'subscriptions/listen', { notifications: { taskIds } })
  await waitUntil(() => told('notifications/subscriptions/acknowledged').length === 2 || undefined)
  release()
  const ends = () => told('notifications/tasks').filter(({ params }) => params?.['status'] === 'completed')
  await waitUntil(() => ends().length >= 2 * taskIds.length || undefined)
  expect(ends()).toHaveLength(2 * taskIds.length)
  expect(frontEnd.stderr()).toBe('')
})

test('an old client is asked by a request of the server, and subscribes by itself', async () => {
  const home = useTemporaryHome()
  const frontEnd = startFrontEnd(home)
  await frontEnd.request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: { elicitation: {} },
    clientInfo: { name: 'old-client', version: '1.0.0' },
  })
  frontEnd.send({ method: 'notifications/initialized' })
  const { id } = structured(await frontEnd.callTool('submit_job', batch(home.home))) as { id: string }
  resultOf(await frontEnd.request('resources/subscribe', { uri: `job://${id}` }))
  frontEnd.send({ id: 'wait', method: 'tools/call', params: { name: 'wait_for_jobs', arguments: { ids: [id] } } })
  const question = await waitUntil(() => frontEnd.messages.find(({ method }) => method === 'elicitation/create'))
  expect(JSON.stringify(question.params)).toContain('batch')
  frontEnd.send({ id: question.id, result: { action: 'accept', content: { decision: 'approve' } } } as Shape)
  const waited = structured(await frontEnd.answerTo('wait'))
  expect(waited).toMatchObject({ satisfied: true, jobs: [{ state: 'completed' }] })
  await waitUntil(() =>
    frontEnd.messages.some(
      ({ method, params }) => method === 'notifications/resources/updated' && params?.['uri'] === `job://${id}`,
    ),
  )
})
