import { lookingAfterWork } from './evaluation-looking.ts'
import { startingWork } from './evaluation-starting.ts'

/** A tool and its arguments. */
export type Call = readonly [tool: string, input: Readonly<Record<string, unknown>>]

/** What there is on the machine and in the queue when the requests are made. */
export interface World {
  /** A directory with films, rows.csv, urls.txt and a test. */
  readonly work: string
  /** A backup that failed, and its id with one wrong digit. */
  readonly failed: string
  readonly wrong: string
  /** A batch of which some units failed. */
  readonly batch: string
  /** A job that runs for long and reads what is typed. */
  readonly running: string
  /** A batch that takes further units. */
  readonly open: string
  readonly completed: string
  /** Jobs that wait for approval. */
  readonly held: readonly string[]
}

/** One way in which a model may begin. */
export interface Attempt {
  readonly first: Call
  /**
   * Second call of a model that read the answer, where that holds no ready one. Whatever is not in the first call must stand in
   * the answer.
   */
  readonly second?: Call
  /** What a first call that succeeds must say, when it is not what was meant. */
  readonly warns?: RegExp
}

export interface PersonRequest {
  /** What a person says to the model. */
  readonly ask: string
  readonly attempts: readonly Attempt[]
}

/** @returns twenty requests of people, each with first calls of an average model. */
export function evaluationSet(world: World): readonly PersonRequest[] {
  return [...startingWork(world), ...lookingAfterWork(world)]
}
