import type { CallToolResult } from '@modelcontextprotocol/server'
import type { ServedParts, ServedTool } from '../../src/server/served.ts'
import type { Change, ChangeFeed, ChangeListener } from '../../src/server/subscriptions/change-feed.ts'
import { contentTools } from './fixtures/content-tools.ts'
import { fixtureTool, text } from './fixtures/fixture-tool.ts'
import { createMemoryTasks, inFrontOf } from './fixtures/memory-tasks.ts'
import { prompts } from './fixtures/prompts.ts'
import { questionTools } from './fixtures/question-tools.ts'
import { resources } from './fixtures/resources.ts'
import { roundTools } from './fixtures/round-tools.ts'
import { type TaskToolParts, taskTools } from './fixtures/task-tools.ts'

/** @returns a feed that also tells of what a fixture does */
function withFixtureChanges(feed: ChangeFeed): ChangeFeed & { tell(change: Change): void } {
  const listeners = new Set<ChangeListener>()
  return {
    follow: (jobIds, listener) => feed.follow(jobIds, listener),
    noteCall: () => feed.noteCall(),
    overhear(listener) {
      listeners.add(listener)
      const end = feed.overhear(listener)
      return () => {
        listeners.delete(listener)
        end()
      }
    },
    tell(change) {
      for (const listener of listeners) listener(change)
    },
  }
}

/**
 * What the product serves, and before it the tools, prompts and resources that the suite asks for by name.
 * @param directory where the commands of fixture jobs run
 */
export function withFixtures(product: ServedParts, directory: string): ServedParts {
  const memory = createMemoryTasks()
  const changes = withFixtureChanges(product.changes)

  const submit: TaskToolParts['submit'] = async ({ params, ...input }, context, caller) => {
    const submitJob = (await product.tools(null)).find(({ name }) => name === 'submit_job')
    if (submitJob === undefined) throw new Error('the product has no tool submit_job')
    const given = { ...input, params: { ...(params as object), cwd: directory }, wait: true }
    return (await submitJob.serve(given, context, caller)) as CallToolResult
  }
  const changed = fixtureTool({
    name: 'test_trigger_tool_change',
    description: 'Tells that the tools have changed.',
    async serve() {
      changes.tell({ kind: 'job_types' })
      return text('Told.')
    },
  })
  const fixtures: readonly ServedTool[] = [
    ...contentTools,
    ...questionTools,
    ...roundTools,
    ...taskTools({ submit, memory }),
    changed,
  ]
  return {
    instructions: product.instructions,
    changes,
    tools: async (caller) => [...fixtures, ...(await product.tools(caller))],
    resources: async () => [resources, ...(await product.resources())],
    prompts: async () => [...prompts, ...(await product.prompts())],
    tasks: async () => inFrontOf(await product.tasks(), memory),
  }
}
