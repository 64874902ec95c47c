import type { Command } from 'commander'
import { type JobFilterInput, jobFilter } from '../domain/wire/jobs.ts'
import { invalidOptions } from './job-input.ts'
import { pairsOption, repeated, timeOption } from './option-values.ts'

/** Options that choose jobs; the same for every command that takes a filter. */
export interface FilterOptions {
  readonly state?: readonly string[]
  readonly type?: string
  readonly queue?: string
  readonly label?: readonly string[]
  readonly since?: string
  readonly before?: string
  readonly text?: string
}

/**
 * Adds the options of FilterOptions to a command.
 * @param queue what --queue means to it: a filter, or the queue itself
 */
export function addFilterOptions(command: Command, queue = 'queue'): Command {
  return command
    .option(
      '--state <name>',
      'queued, running, completed, failed, cancelled, unfinished or finished; repeatable',
      repeated,
    )
    .option('--type <name>', 'job type')
    .option('--queue <name>', queue)
    .option('--label <name=value>', 'label; repeatable, all must fit', repeated)
    .option('--since <time>', 'submitted after: an ISO 8601 time, or a length back from now such as 2h')
    .option('--before <time>', 'submitted before')
    .option('--text <words>', 'words in name, type, labels, params or error')
}

/**
 * @returns the filter that the options say; empty when none was given
 * @throws QueueError invalid_input naming the bad value
 */
export function filterOf(options: FilterOptions, now: number): JobFilterInput {
  const candidate = {
    ...(options.state === undefined ? {} : { states: options.state }),
    ...(options.type === undefined ? {} : { type: options.type }),
    ...(options.queue === undefined ? {} : { queue: options.queue }),
    ...(options.label === undefined ? {} : { labels: pairsOption('--label', options.label) }),
    ...(options.since === undefined ? {} : { created_after: timeOption('--since', options.since, now, 'back') }),
    ...(options.before === undefined ? {} : { created_before: timeOption('--before', options.before, now, 'back') }),
    ...(options.text === undefined ? {} : { text: options.text }),
  }
  const parsed = jobFilter.safeParse(candidate)
  if (parsed.success) return parsed.data
  throw invalidOptions(parsed.error, jobFilter, candidate)
}
