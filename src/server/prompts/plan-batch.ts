import { isAbsolute } from 'node:path'
import type { ServerContext } from '@modelcontextprotocol/server'
import { cutText } from '../../domain/cut-text.ts'
import { QueueError } from '../../domain/errors.ts'
import type { ListJobTypesAnswer } from '../../domain/wire/jobs.ts'
import { quoted } from '../quoted.ts'
import { askManager, type LazyHost } from '../resources/ask-manager.ts'
import type { ServedPrompt } from '../served.ts'
import { argumentOf, badArgument, type Fact, promptOf, promptOfFailure } from './prompt-text.ts'

const description = 'Plan many similar pieces of work as one job: a small test first, then the rest.'
const longestGoal = 1_500
const longestFolder = 500
const longestType = 64
const longestMs = 5_000
const longestLine = 300

type ListedType = ListJobTypesAnswer['types'][number]

/** From a wish to a job with many units. */
export function planBatch(host: LazyHost): ServedPrompt {
  return {
    listed: {
      name: 'plan_batch',
      title: 'Plan a batch',
      description,
      arguments: [
        {
          name: 'goal',
          description: 'What shall be done, such as "make a thumbnail of every photo"',
          required: true,
        },
        { name: 'folder', description: 'Absolute directory of the inputs', required: false },
        {
          name: 'type',
          description: 'Such as command; left out: chosen for the goal',
          required: false,
        },
      ],
    },

    async get(given, { mcpReq: { signal } }: ServerContext) {
      const goal = argumentOf(given, 'goal', longestGoal)
      if (goal === undefined) {
        throw badArgument('goal is missing; say what shall be done, such as "make a thumbnail of every photo".')
      }
      const folder = argumentOf(given, 'folder', longestFolder)
      const type = argumentOf(given, 'type', longestType)
      if (folder !== undefined && !isAbsolute(folder)) {
        throw badArgument(`folder is ${quoted(folder)}; give an absolute directory, such as "/home/ada/films".`)
      }
      try {
        return promptOf({
          description,
          task: taskOf(goal, folder, type),
          facts: await typesFor(host, type, signal),
          steps: stepsFor(folder, type),
        })
      } catch (error) {
        return promptOfFailure(description, 'its job types, to plan a batch', error)
      }
    },

    async complete(argument, begun) {
      if (argument !== 'type') return []
      try {
        const { types } = await askManager(host, 'list_job_types', {}, AbortSignal.timeout(longestMs))
        const sought = begun.trim().toLowerCase()
        return types.map((each) => each.type).filter((each) => each.toLowerCase().includes(sought))
      } catch {
        return []
      }
    },
  }
}

function taskOf(goal: string, folder: string | undefined, type: string | undefined): string {
  const where = folder === undefined ? '' : `\nThe inputs are in the folder ${JSON.stringify(folder)}.`
  const how = type === undefined ? '' : `\nUse the job type ${JSON.stringify(type)}.`
  return `Plan this as one Nightkiln job with many units, and submit it when I agree:\n${goal}${where}${how}`
}

/** The type that was named with its schemas, and where there is none of that name, all there are. */
async function typesFor(host: LazyHost, type: string | undefined, signal: AbortSignal): Promise<Fact[]> {
  const all = async (): Promise<string> =>
    (await askManager(host, 'list_job_types', {}, signal)).types.map(lineOf).join('\n')
  if (type === undefined) return [{ title: 'Job types', data: await all() }]
  try {
    const [named] = (await askManager(host, 'list_job_types', { type }, signal)).types
    return named === undefined ? [] : [{ title: `Job type ${named.type}`, data: schemasOf(named) }]
  } catch (error) {
    if (!(error instanceof QueueError) || error.code !== 'unknown_job_type') throw error
    return [{ title: 'There is no such job type. These there are', data: await all() }]
  }
}

function lineOf({ type, title, description, example }: ListedType): string {
  return JSON.stringify({ type, about: cutText(`${title}: ${description}`, longestLine), example })
}

/** Lines of JSON, the most needed first. */
function schemasOf({
  type,
  title,
  description,
  example,
  params_schema,
  unit_schema,
  result_schema,
}: ListedType): string {
  return [
    JSON.stringify({ type, title, description }),
    `example: ${JSON.stringify(example ?? null)}`,
    `params_schema: ${JSON.stringify(params_schema ?? null)}`,
    `unit_schema: ${JSON.stringify(unit_schema ?? null)}`,
    `result_schema: ${JSON.stringify(result_schema ?? null)}`,
  ].join('\n')
}

function stepsFor(folder: string | undefined, type: string | undefined): string[] {
  const root = folder ?? '/absolute/folder'
  const command = {
    name: 'Thumbnails',
    params: { argv: ['convert', '{{unit.path}}', '-resize', '256', 'thumbnails/{{unit.stem}}.png'], cwd: root },
    source: { kind: 'glob', pattern: '**/*.jpg', root },
    test_first: 3,
    max_failed_percent: 5,
    timeout_s: 600,
  }
  return [
    'Find out what the units are (files, lines, rows, numbers) and how many. Let source enumerate them: glob, lines, csv, json, sqlite or range. Do not list them in this chat.',
    ...(type === undefined
      ? [
          'Choose a job type: one that does just this, else "command". Before you use any other than "command": list_job_types {"type":"…"} for its schemas.',
        ]
      : []),
    'Ask me what you cannot know: where results go, whether files may be overwritten, how many may fail.',
    `Show me the call before you make it. Its shape, for the type command: submit_job ${JSON.stringify(command)}. {{unit.path}}, {{unit.name}} and {{unit.stem}} belong to glob; {{unit}} is a line or number, {{unit.column}} a field of a row.`,
    'test_first runs a few units and holds the rest. Keep it for everything costly or hard to undo; leave it out only if I say so.',
    'After the submit tell me the id, then wait_for_jobs {"ids":["…"],"until":"any_changed"}, again with its cursor, until it is awaiting_approval.',
    'Show me the review of job_status {"ids":["…"]}: results, failures, cost, time for the rest. Call decide_job {"id":"…","decision":"approve"} or "reject" only after I have answered; silence is not approval.',
    'At the end list_units {"id":"…","states":["failed"]} and job_result {"id":"…"}; then rerun_job {"id":"…","only":"failed"} if I want the rest repaired.',
  ]
}
