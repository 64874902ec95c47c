import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectStdio, type McpStdioClient, type ToolAnswer } from '../support/mcp-stdio-client.ts'
import { readyCallsIn, refusedCallsIn } from '../support/ready-calls.ts'
import { repositoryRoot } from '../support/repository.ts'
import { makeTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { type EvaluatedRequest, evaluationPage } from './support/evaluation-page.ts'
import { type Attempt, type Call, evaluationSet, type PersonRequest, type World } from './support/evaluation-set.ts'

const home = makeTemporaryHome()
const work = join(home.home, 'films')
const someId = '01890a5d-ac96-774b-bcce-b302099a8057'
const page = join(repositoryRoot, 'docs', 'evaluation.md')
let client: McpStdioClient

/** Titles have to be known before anything runs. */
const titles = evaluationSet(
  worldOf(
    '',
    Array.from({ length: 3 }, () => someId),
  ),
).map(({ ask }) => ask)
const seen = new Map<string, EvaluatedRequest>()
let world: World

function worldOf(directory: string, held: readonly string[], ids: Partial<World> = {}): World {
  const base = { failed: someId, wrong: someId, batch: someId, running: someId, open: someId, completed: someId }
  return { work: directory, held, ...base, ...ids }
}

async function submit(input: Record<string, unknown>): Promise<string> {
  return (await client.callOk<{ id: string }>('submit_job', input)).id
}

beforeAll(async () => {
  const bin = join(home.home, 'bin')
  for (const folder of [work, bin]) mkdirSync(folder)
  for (const program of ['ffmpeg', 'curl', 'pytest', 'train', 'render', 'make']) {
    writeFileSync(join(bin, program), '#!/bin/sh\necho "$0 $*"\n')
    chmodSync(join(bin, program), 0o755)
  }
  writeFileSync(join(work, 'a.mov'), 'film')
  writeFileSync(join(work, 'rows.csv'), 'name,town\nada,london\n')
  writeFileSync(join(work, 'urls.txt'), 'http://127.0.0.1/a\n')
  writeFileSync(join(work, 'report.sh'), '#!/bin/sh\necho report\n', { mode: 0o755 })
  // A client whose own directory says nothing, as that of a desktop app.
  client = await connectStdio({
    environment: { ...home.environment, PATH: `${bin}:${home.environment['PATH'] ?? ''}` },
    ledger: home.ledger,
    cwd: '/',
  })
  const backup = 'echo copying; echo "Error: disk full" >&2; exit 3'
  const failed = await submit({ params: { shell: true, script: backup, cwd: work }, name: 'backup photos' })
  const batch = await submit({
    params: { argv: ['sh', '-c', 'test "$1" != b', 'x', '{{unit}}'], cwd: work },
    units: ['a', 'b'],
    max_failed_units: 2,
  })
  const completed = await submit({ params: { argv: ['echo', 'done'], cwd: work }, name: 'report' })
  const running = await submit({ params: { argv: ['cat'], cwd: work, interactive: true }, name: 'training' })
  const open = await submit({ type: 'noop', params: {}, units: ['x'], keep_open: true })
  const held = await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      submit({ params: { argv: ['echo', name], cwd: work }, units: ['1', '2'], test_first: 1, name }),
    ),
  )
  await client.callOk('wait_for_jobs', { ids: [failed, batch, completed], timeout_s: 30 })
  await waitUntil(async () => {
    const { jobs } = await client.callOk<{ jobs: { state: string }[] }>('job_status', { ids: held })
    return jobs.every((job) => job.state === 'awaiting_approval')
  })
  const wrong = failed.slice(0, -1) + (failed.endsWith('0') ? '1' : '0')
  world = worldOf(work, held, { failed, wrong, batch, completed, running, open })
})

afterAll(async () => {
  await client.close()
  await home.remove()
})

/** All texts of an answer, as a model reads them. */
function textsOf({ text, structured }: ToolAnswer): string {
  return structured === undefined ? text : wordsIn(structured).join('\n')
}

/** Every key and value of a call. */
function wordsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(wordsIn)
  if (typeof value !== 'object' || value === null) return [String(value)]
  return Object.entries(value).flatMap(([key, inner]) => [key, ...wordsIn(inner)])
}

/** @returns the words of a second call that neither the first call nor its answer holds */
function inventedWords([firstTool, first]: Call, answer: string, [tool, input]: Call): readonly string[] {
  const known = `${firstTool}\n${wordsIn(first).join('\n')}\n${answer}`
  const joined = wordsIn(first).join(' ')
  return [tool, ...wordsIn(input)].filter((word) => !known.includes(word) && !joined.includes(word))
}

function secondCall({ first, second }: Attempt, text: string): Call | undefined {
  if (second !== undefined) return second
  const ready = readyCallsIn(text).find(({ tool, input }) => tool === first[0] && input !== undefined)
  return ready === undefined ? undefined : [ready.tool, ready.input ?? {}]
}

async function evaluate(attempt: Attempt): Promise<EvaluatedRequest['attempts'][number]> {
  const answer = await client.call(...attempt.first)
  const text = textsOf(answer)
  const what = `${JSON.stringify(attempt.first)} was answered with: ${text}`
  expect(await refusedCallsIn(text), what).toEqual([])
  if (attempt.warns !== undefined) expect(text, what).toMatch(attempt.warns)
  if (!answer.isError && attempt.second === undefined) return { first: attempt.first, answer: null, second: null }
  const second = secondCall(attempt, text)
  expect(second, `${what}\nno second call`).toBeDefined()
  if (second === undefined) throw new Error(what)
  expect(inventedWords(attempt.first, text, second), what).toEqual([])
  const again: ToolAnswer = await client.call(...second)
  expect(again.isError, `${what}\nthe second call ${JSON.stringify(second)}: ${again.text}`).toBe(false)
  const warning = attempt.warns === undefined ? text : (text.match(attempt.warns)?.[0] ?? text)
  return { first: attempt.first, answer: answer.isError ? text : warning, second }
}

describe('a model gets there with at most two calls', { shuffle: false }, () => {
  test.each(titles.map((ask, index) => [ask, index] as const))('%s', async (ask, index) => {
    const request: PersonRequest | undefined = evaluationSet(world)[index]
    const attempts: EvaluatedRequest['attempts'][number][] = []
    const problems: string[] = []
    for (const attempt of request?.attempts ?? []) {
      try {
        attempts.push(await evaluate(attempt))
      } catch (error) {
        problems.push((error as Error).message)
      }
    }
    expect(problems.join('\n\n')).toBe('')
    seen.set(ask, { ask, attempts })
  })

  test('docs/evaluation.md says what was seen', async ({ skip }) => {
    // Only a whole run tells the whole page.
    if (seen.size < titles.length) skip()
    const requests = titles.flatMap((ask) => seen.get(ask) ?? [])
    await expect(evaluationPage(requests, [work, home.home])).toMatchFileSnapshot(page)
  })
})
