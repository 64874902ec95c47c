import { expect, test } from 'vitest'
import type { TaskView } from '../../../src/domain/wire/tasks.ts'
import type { Caller } from '../../../src/server/served.ts'
import type { ChangeFeed, ChangeListener } from '../../../src/server/subscriptions/change-feed.ts'
import { createManagerTasks } from '../../../src/server/tasks/manager-tasks.ts'
import type { TaskState } from '../../../src/server/tasks/task-backend.ts'
import { tools } from '../../../src/tools/all-tools.ts'
import type { ToolHost } from '../../../src/tools/define-tool.ts'
import { waitUntil } from '../../support/wait-until.ts'

const taskId = '0123456789abcdef0123456789abcdef'
const jobId = '01890a5d-ac96-774b-bcce-b302099a8057'
const caller: Caller = { era: 'modern', principal: 'local', submittedBy: 'test', takesTasks: true, canAsk: false }
const view: TaskView = {
  tool: 'wait_for_jobs',
  ids: [jobId],
  status: 'working',
  why: 'running',
  created_at: '2031-05-04T22:00:00.000Z',
  updated_at: '2031-05-04T22:00:00.000Z',
  poll_interval_ms: 1_000,
  questions: [],
  submitted: null,
  outcome: null,
}

/** Tasks of a manager whose answers are in the hand of the test. */
function tasksUnderTest(answer: () => Promise<TaskView>) {
  const listeners = new Set<ChangeListener>()
  const changes: ChangeFeed = {
    follow(_jobIds, listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    overhear: () => () => undefined,
    noteCall: () => undefined,
  }
  const host = { call: async () => await answer() } as unknown as ToolHost
  const change = () => {
    for (const listener of listeners) listener({ kind: 'job', jobId, type: 'job.completed' })
  }
  return { tasks: createManagerTasks({ host, tools, changes }), change, listeners }
}

test('a task whose outcome cannot be told has failed, which is no failure of its job', async () => {
  const outcome = { satisfied: true } as unknown as TaskView['outcome']
  const { tasks } = tasksUnderTest(() => Promise.resolve({ ...view, status: 'completed', outcome }))
  expect(await tasks.get(taskId, caller)).toMatchObject({
    status: 'failed',
    error: { code: -32603, message: expect.stringContaining('wait_for_jobs') },
  })
})

test('many changes in a moment are looked at one after the other, and the newest state is told last', async () => {
  let looks = 0
  let atOnce = 0
  let most = 0
  const { tasks, change, listeners } = tasksUnderTest(async () => {
    looks += 1
    const why = `look ${looks}`
    atOnce += 1
    most = Math.max(most, atOnce)
    await new Promise((resolve) => setImmediate(resolve))
    atOnce -= 1
    return { ...view, why }
  })
  const told: (string | undefined)[] = []
  const ends = new AbortController()
  const tell = (_id: string, state: TaskState) => void told.push(state.statusMessage)
  await tasks.watch([taskId], caller, tell, ends.signal)
  for (let count = 0; count < 50; count += 1) change()
  await waitUntil(() => told.length > 0 && told.at(-1) === `look ${looks}`)
  expect(most).toBe(1)
  expect(looks).toBeLessThan(6)
  ends.abort()
  expect(listeners.size).toBe(0)
})
