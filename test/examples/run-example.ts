import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { createProcessLedger } from '../support/process-ledger.ts'
import { repositoryRoot } from '../support/repository.ts'

/** What a story left: its files, and what its script saw. */
export interface PlayedStory<Facts> {
  readonly facts: Facts
  /** The lines of a file that a stand-in wrote, split at spaces; paths below the working folder of the story. */
  lines(file: string): readonly (readonly string[])[]
  text(file: string): string
}

interface Saved {
  readonly broken: readonly string[]
}

const longestMs = 170_000

/** Counts of a job as its status tells them. */
export interface Counts {
  readonly total: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

export interface EndedJob {
  readonly state: string
  readonly why: string
  readonly counts: Counts
}

/** Runs `examples/<name>/run.mjs`; demands that it ends with 0 and leaves no process. */
export async function playStory<Facts>(name: string): Promise<PlayedStory<Facts>> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nk-story-')))
  const ledger = createProcessLedger(join(folder, 'state'))
  onTestFinished(async () => {
    await ledger.killAll()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const child = spawn(process.execPath, [join(repositoryRoot, 'examples', name, 'run.mjs')], {
    env: { ...process.env, EXAMPLE_FOLDER: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestMs,
    killSignal: 'SIGKILL',
  })
  ledger.add(child.pid)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [exitCode] = await once(child, 'close')
  expect(exitCode, output).toBe(0)
  await ledger.assertNothingLeft()
  const text = (file: string) => readFileSync(join(folder, 'work', file), 'utf8')
  const facts = JSON.parse(readFileSync(join(folder, 'facts.json'), 'utf8')) as Facts & Saved
  expect(facts.broken, output).toEqual([])
  return {
    facts,
    text,
    lines: (file) =>
      text(file)
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split(' ')),
  }
}

/** @returns how often each value occurs */
export function countOf(values: readonly (string | undefined)[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value ?? '', (counts.get(value ?? '') ?? 0) + 1)
  return counts
}
