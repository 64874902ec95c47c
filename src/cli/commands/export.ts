import { extname, isAbsolute, resolve } from 'node:path'
import type { Command } from 'commander'
import { exportRequest } from '../../domain/wire/history.ts'
import { chosenJobs } from '../choose-jobs.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { counted, formatBytes } from '../display/quantities.ts'
import { addFilterOptions, type FilterOptions } from '../job-filter.ts'
import { invalidOptions } from '../job-input.ts'
import type { Session } from '../session.ts'

interface Options extends FilterOptions {
  readonly format?: string
  readonly units?: boolean
  readonly output?: string
}

const formatByExtension: Readonly<Record<string, string>> = {
  '.json': 'json',
  '.jsonl': 'json',
  '.csv': 'csv',
  '.md': 'markdown',
}

export function exportCommand(runner: CommandRunner): Command {
  const command = jsonCommand('export', 'Write jobs, or their units, to a file')
    .argument('[ids...]', 'job ids, their ends, or "last" (default: every job)')
    .option('--units', 'a row for each unit, with input, result and error, instead of one for each job')
    .option('--format <name>', 'json (one object a line), csv or markdown (default: by the name of the file)')
    .option('--output <file>', 'file to make; it must not exist (default: one in the state directory)')
  return addFilterOptions(command).action(runner.act(write))
}

async function write(session: Session, options: Options, typed: readonly string[]): Promise<number> {
  const { output } = options
  const file = output === undefined || isAbsolute(output) ? output : resolve(session.cwd, output)
  const format = options.format ?? (file === undefined ? undefined : formatByExtension[extname(file).toLowerCase()])
  const chosen = await chosenJobs(session, options, typed, {})
  const candidate = {
    ...(chosen === null ? {} : chosen.by === 'ids' ? { ids: chosen.ids } : { filter: chosen.filter }),
    ...(format === undefined ? {} : { format }),
    ...(options.units === true ? { what: 'units' } : {}),
    ...(file === undefined ? {} : { file }),
  }
  const parsed = exportRequest.safeParse(candidate)
  if (!parsed.success) throw invalidOptions(parsed.error, exportRequest, candidate)
  const answer = await session.client().call('export_jobs', parsed.data, { signal: session.interrupted })
  const { terminal } = session
  if (session.json) terminal.value(answer)
  else {
    // A pipe gets the file alone, so that file=$(nightkiln export …) works.
    terminal.line(terminal.harmless(answer.file))
    terminal.note(`${counted(answer.rows, 'row')}, ${formatBytes(answer.bytes)}`)
  }
  return 0
}
