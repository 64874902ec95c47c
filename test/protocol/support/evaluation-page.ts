import type { Call } from './evaluation-set.ts'

/** A request with the calls that were made for it. */
export interface EvaluatedRequest {
  readonly ask: string
  readonly attempts: readonly {
    readonly first: Call
    /** What an error said, or what a call that succeeded warned of; null: it was right at once. */
    readonly answer: string | null
    readonly second: Call | null
  }[]
}

const longestCell = 460
/** What an answer ends with is what to do. */
const shownEnd = 300

/** Ids, places and times differ from run to run. */
function steady(text: string, places: readonly string[]): string {
  const named = places.reduce((rest, place) => rest.replaceAll(place, '/home/you'), text)
  return named
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>')
}

/** One line of a table in Markdown. */
function cell(text: string): string {
  const line = text.replaceAll('\n', ' ').replaceAll('|', '\\|')
  if (line.length <= longestCell) return line
  return `${line.slice(0, longestCell - shownEnd)} … ${line.slice(-shownEnd)}`
}

function code([tool, input]: Call, places: readonly string[]): string {
  const text = cell(steady(`${tool} ${JSON.stringify(input)}`, places))
  return `\`\`${text}\`\``
}

/** @returns docs/evaluation.md, as it follows from what was seen */
export function evaluationPage(requests: readonly EvaluatedRequest[], places: readonly string[]): string {
  const all = requests.flatMap(({ attempts }) => attempts)
  const atOnce = all.filter(({ second }) => second === null).length
  const parts = [
    '# Evaluation',
    'Written by `npx vitest run test/protocol/evaluation.test.ts -u`; the test compares it with what it sees.',
    `${requests.length} requests as people make them, and ${all.length} first calls that an average model would make for them, the wrong ones included. Each is made over stdio against a real queue. ${atOnce} are right at once. Each of the others is answered with the second call, ready to be made, or with the fields and values to change; the second call is made of nothing but the first call and that answer, and it succeeds.`,
    ...requests.flatMap(({ ask, attempts }, index) => [
      `## ${index + 1}. ${ask}`,
      [
        '| first call | answer | second call |',
        '|---|---|---|',
        ...attempts.map(({ first, answer, second }) =>
          [
            '',
            code(first, places),
            answer === null ? 'right' : cell(steady(answer, places)),
            second === null ? '' : code(second, places),
            '',
          ]
            .join(' | ')
            .trim(),
        ),
      ].join('\n'),
    ]),
  ]
  return `${parts.join('\n\n')}\n`
}
