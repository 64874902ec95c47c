import type { WhatsNewAnswer } from '../../domain/wire/jobs.ts'
import { askManager, type LazyHost } from '../resources/ask-manager.ts'
import type { ServedPrompt } from '../served.ts'
import { argumentOf, promptOf, promptOfFailure } from './prompt-text.ts'

const description = 'What happened to my jobs since I last looked, and what to do next.'
const longestClient = 100

type Line = WhatsNewAnswer['finished'][number]

/** The first thing of a new chat. */
export function resumeMyWork(host: LazyHost): ServedPrompt {
  return {
    listed: {
      name: 'resume_my_work',
      title: 'Resume my work',
      description,
      arguments: [
        {
          name: 'client',
          description:
            'A name, such as laptop: what I have seen is then remembered under it; left out: once for me, whichever client I use',
          required: false,
        },
      ],
    },

    async get(given, { mcpReq: { signal } }) {
      const client = argumentOf(given, 'client', longestClient)
      const ownMark = client === undefined ? {} : { client }
      try {
        const news = await askManager(host, 'whats_new', ownMark, signal)
        return promptOf({
          description,
          task: 'Tell me how my work in Nightkiln, my job queue, went since I last looked, and help me to go on.',
          facts: [{ title: 'whats_new says', data: factsOf(news) }],
          steps: stepsFor(news, ownMark),
        })
      } catch (error) {
        return promptOfFailure(description, 'the news of my jobs', error)
      }
    },
  }
}

/** One line for each job: what is cut at the end is the least urgent. */
function factsOf(news: WhatsNewAnswer): string {
  const lists = [
    ['needs_you', news.needs_you],
    ['failed', news.failed],
    ['finished', news.finished],
    ['cancelled', news.cancelled],
    ['unfinished', news.unfinished],
  ] as const
  return [
    `counts: ${JSON.stringify(news.counts)}`,
    ...lists.flatMap(([list, lines]) => lines.map((line) => `${list}: ${JSON.stringify(line)}`)),
    ...news.missed_runs.map((run) => `missed_run: ${JSON.stringify(run)}`),
    ...(news.more ? ['more: true (the lists are cut, the counts are not)'] : []),
  ].join('\n')
}

function stepsFor(news: WhatsNewAnswer, ownMark: { readonly client?: string }): string[] {
  const { counts } = news
  const acknowledge = `whats_new ${JSON.stringify({ acknowledge: news.cursor, ...ownMark })}`
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  if (total === 0) return ['Tell me that nothing happened and nothing runs, and ask what I want to do.']
  return [
    'Sum it up for me in a few sentences: first what needs me, then what failed, then what finished, then what still runs and how long it will take. Give names, and ids only where I need them.',
    ...(counts.needs_you === 0
      ? []
      : [
          `For what needs me call ${statusOf(news.needs_you)}, show me results, cost and time left of each review, and ask me. Call decide_job {"id":"…","decision":"approve"} or "reject" only after I have answered: silence is not approval.`,
        ]),
    ...(counts.failed === 0
      ? []
      : [
          `For what failed call ${statusOf(news.failed)} and, where that does not say why, job_logs {"id":"${first(news.failed)}"}. Propose rerun_job {"id":"…"} with what must change in overrides; do not run it before I agree.`,
        ]),
    ...(counts.finished === 0
      ? []
      : [`Results that I ask for: job_result {"id":"${first(news.finished)}"}, with the id of the job.`]),
    ...(counts.unfinished === 0
      ? []
      : [
          `Only if I want to wait: wait_for_jobs {"ids":["${first(news.unfinished)}"]}. What runs goes on without this chat.`,
        ]),
    ...(counts.missed_runs === 0
      ? []
      : ['For missed runs of schedules call list_schedules {} and say what you found.']),
    ...(news.more ? ['The lists are cut: list_jobs {"limit":50} shows more.'] : []),
    `When you have told me, call ${acknowledge}, so that it does not come again.`,
  ]
}

function statusOf(lines: readonly Line[]): string {
  return `job_status ${JSON.stringify({ ids: lines.slice(0, 10).map(({ id }) => id) })}`
}

function first(lines: readonly Line[]): string {
  return lines[0]?.id ?? '…'
}
