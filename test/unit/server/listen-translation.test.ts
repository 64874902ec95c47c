import type { JSONRPCRequest } from '@modelcontextprotocol/server'
import { describe, expect, test } from 'vitest'
import {
  filterOf,
  isListen,
  taskUri,
  withTasksAsResources,
  withTasksFromResources,
} from '../../../src/server/subscriptions/listen-translation.ts'

const task = '0123456789abcdef0123456789abcdef'
const other = 'fedcba9876543210fedcba9876543210'

function listen(notifications: unknown): JSONRPCRequest {
  return { jsonrpc: '2.0', id: 7, method: 'subscriptions/listen', params: { notifications } } as JSONRPCRequest
}

describe('a listen on its way in', () => {
  test('names the tasks that were agreed to as resources, beside its own', () => {
    const message = listen({ toolsListChanged: true, resourceSubscriptions: ['job://a'], taskIds: [task, other] })
    expect(withTasksAsResources(message, [taskUri(task, 3)]).params).toEqual({
      notifications: { toolsListChanged: true, resourceSubscriptions: ['job://a', taskUri(task, 3)] },
    })
  })

  test('cannot name a task by its private URI', () => {
    const message = listen({ resourceSubscriptions: [taskUri(other, 3), 'queue://status'] })
    expect(withTasksAsResources(message, []).params).toEqual({
      notifications: { resourceSubscriptions: ['queue://status'] },
    })
    expect(filterOf(message).resourceSubscriptions).toEqual(['queue://status'])
  })

  test.each([undefined, null, 'all', 7])('that is malformed (%s) is left for the router to refuse', (notifications) => {
    const message = listen(notifications)
    expect(withTasksAsResources(message, [])).toBe(message)
    expect(filterOf(message)).toEqual({})
  })

  test('with a list that is none keeps it, so that it is refused', () => {
    const message = listen({ resourceSubscriptions: 'job://a', taskIds: 'x' })
    expect(withTasksAsResources(message, [])).toBe(message)
    expect(filterOf(message)).toEqual({ resourceSubscriptions: [], taskIds: [] })
  })

  test('is told from everything else', () => {
    expect(isListen(listen({}))).toBe(true)
    expect(isListen({ method: 'subscriptions/listen' })).toBe(false)
    for (const id of [true, null, {}, [], 1.5]) expect(isListen({ ...listen({}), id })).toBe(false)
    expect(isListen(null)).toBe(false)
    expect(isListen('subscriptions/listen')).toBe(false)
    expect(isListen([])).toBe(false)
  })
})

describe('a message on its way out', () => {
  const notification = (method: string, params: Record<string, unknown>) => ({
    jsonrpc: '2.0' as const,
    method,
    params,
  })
  const meta = { 'io.modelcontextprotocol/subscriptionId': 7 }

  test('acknowledges tasks as tasks', () => {
    const notifications = { toolsListChanged: true, resourceSubscriptions: ['job://a', taskUri(task, 3)] }
    const sent = withTasksFromResources(
      notification('notifications/subscriptions/acknowledged', { notifications, _meta: meta }),
    )
    expect(sent.params).toEqual({
      notifications: { toolsListChanged: true, resourceSubscriptions: ['job://a'], taskIds: [task] },
      _meta: meta,
    })
  })

  test('acknowledges nothing of resources when there were only tasks', () => {
    const notifications = { resourceSubscriptions: [taskUri(task, 3)] }
    const sent = withTasksFromResources(notification('notifications/subscriptions/acknowledged', { notifications }))
    expect(sent.params).toEqual({ notifications: { taskIds: [task] } })
  })

  test('about a task is a notification of the extension, with the stamp of its subscription', () => {
    const state = { taskId: task, status: 'working' }
    const sent = withTasksFromResources(
      notification('notifications/resources/updated', { uri: taskUri(task, 3), task: state, _meta: meta }),
    )
    expect(sent).toEqual(notification('notifications/tasks', { ...state, _meta: meta }))
  })

  test('about anything else is unchanged', () => {
    const update = notification('notifications/resources/updated', { uri: 'job://a' })
    expect(withTasksFromResources(update)).toBe(update)
    const answer = { jsonrpc: '2.0' as const, id: 1, result: {} }
    expect(withTasksFromResources(answer)).toBe(answer)
  })
})
