import type { Command } from 'commander'
import { rerunInput } from '../../domain/wire/submit.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { resolveJobIds } from '../job-ids.ts'
import { addJobOptions, invalidOptions, type JobOptions, limitsOf, paramsOf } from '../job-input.ts'
import type { Session } from '../session.ts'
import { finishSubmit } from './submit.ts'

interface Options extends JobOptions {
  readonly key?: string
  readonly wait?: boolean
}

export function rerunCommand(runner: CommandRunner): Command {
  const command = jsonCommand('rerun', 'Run a job again as a new, linked job')
    .argument('<id>', 'job id, its end, or "last"')
    .option('--key <text>', 'idempotency key: the same key never makes a second job')
    .option('--wait', 'wait for the end; the exit code tells the outcome')
  return addJobOptions(command).action(runner.act(rerun))
}

async function rerun(session: Session, options: Options, typed: string): Promise<number> {
  const client = session.client()
  const [id = typed] = await resolveJobIds(client, [typed], session.interrupted)
  const params = paramsOf(options, session.cwd)
  const overrides = {
    ...limitsOf(options, session.now()),
    ...(Object.keys(params).length === 0 ? {} : { params }),
  }
  const candidate = {
    id,
    ...(Object.keys(overrides).length === 0 ? {} : { overrides }),
    idempotency_key: options.key ?? session.randomId(),
  }
  const parsed = rerunInput.safeParse(candidate)
  if (!parsed.success) throw invalidOptions(parsed.error, rerunInput, candidate)
  const answer = await client.call(
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
