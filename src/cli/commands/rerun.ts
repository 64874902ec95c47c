import type { Command } from 'commander'
import { rerunInput } from '../../domain/wire/submit.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { typedJobId, withWholeDependencies } from '../job-ids.ts'
import { addJobOptions, invalidOptions, type JobOptions, limitsOf, paramsOf } from '../job-input.ts'
import { integersOption } from '../option-values.ts'
import type { Session } from '../session.ts'
import { finishSubmit } from './submit.ts'

interface Options extends JobOptions {
  readonly only?: string
  readonly units?: string
  readonly key?: string
  readonly wait?: boolean
}

export function rerunCommand(runner: CommandRunner): Command {
  const command = jsonCommand('rerun', 'Run a job again as a new, linked job')
    .argument('<id>', 'job id, its end, or "last"')
    .option(
      '--only <kind>',
      'only units that ended so: failed, cancelled, failed_or_cancelled, or not_completed (those never added too)',
    )
    .option('--units <numbers>', 'only the units at these positions, such as 3,7; nightkiln units shows them')
    .option('--key <text>', 'idempotency key: the same key never makes a second job')
    .option('--wait', 'wait for the end; the exit code tells the outcome')
  return addJobOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  nightkiln rerun last --only failed --max-attempts 3
  nightkiln rerun last --units 3,7 --timeout 2h
`,
    )
    .action(runner.act(rerun))
}

async function rerun(session: Session, given: Options, typed: string): Promise<number> {
  const options = await withWholeDependencies(session, given)
  const id = await typedJobId(session, typed)
  const params = paramsOf(options, session.cwd)
  const overrides = {
    ...limitsOf(options, { now: session.now(), cwd: session.cwd }),
    ...(Object.keys(params).length === 0 ? {} : { params }),
  }
  const candidate = {
    id,
    ...(options.only === undefined ? {} : { only: options.only }),
    ...(options.units === undefined ? {} : { units: integersOption('--units', options.units) }),
    ...(Object.keys(overrides).length === 0 ? {} : { overrides }),
    idempotency_key: options.key ?? session.randomId(),
  }
  const parsed = rerunInput.safeParse(candidate)
  if (!parsed.success) throw invalidOptions(parsed.error, rerunInput, candidate)
  const answer = await session.client().call(
    'rerun_job',
    {
      ...parsed.data,
      idempotency_key: parsed.data.idempotency_key ?? session.randomId(),
      context: session.submitContext(),
    },
    { signal: session.interrupted },
  )
  return finishSubmit(session, answer, { wait: options.wait === true, keyGiven: options.key !== undefined })
}
