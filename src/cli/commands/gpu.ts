import { type Command, Option } from 'commander'
import type { GpuWorkerTest } from '../../domain/wire/gpu.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { forCommandLine } from '../display/for-command-line.ts'
import { gpuTestLines, gpuWorkerTable, isUsable } from '../display/gpu-workers.ts'
import { outcomeExitCodes } from '../exit-codes.ts'
import { checkedWorkerName, type WorkerOptions, workerEntryOf } from '../gpu-worker-input.ts'
import type { Session } from '../session.ts'

interface AddOptions extends WorkerOptions {
  readonly replace?: true
}

const none = 'no GPU worker is configured; nightkiln gpu add NAME URL adds one'

export function gpuCommand(runner: CommandRunner): Command {
  const group = jsonCommand('gpu', 'Show GPU workers, add, test and remove them')
  group.addCommand(jsonCommand('list', 'Show the GPU workers as last seen').action(runner.act(list)), {
    isDefault: true,
  })
  group.addCommand(addCommand(runner))
  group.addCommand(
    jsonCommand('test', 'Connect to GPU workers and say what they have, or what is wrong')
      .argument('[name]', 'GPU worker (default: all)')
      .addHelpText(
        'after',
        `\nExit code 0 only when every one can be used, else ${outcomeExitCodes.problem_found.code}.\n`,
      )
      .action(runner.act(test)),
  )
  group.addCommand(
    jsonCommand('remove', 'Forget a GPU worker; its key file stays')
      .alias('rm')
      .argument('<name>', 'GPU worker')
      .action(runner.act(remove)),
  )
  return group
}

function addCommand(runner: CommandRunner): Command {
  return jsonCommand('add', 'Add a machine that runs nightkiln worker, then connect to it')
    .argument('<name>', 'for people, such as rig')
    .argument('<url>', 'such as https://rig.local:7801; plain http to this machine alone')
    .option('--key-file <path>', 'file with its key, which only you can read (0600)')
    .option('--key-env <variable>', 'variable of the environment with its key; a restarted manager may lack it')
    .option('--keychain <service/account>', 'entry of the keychain of this system with its key')
    .addOption(new Option('--key <text>').hideHelp())
    .option('--ca-file <path>', 'certificate that it must show, or that signed it (PEM)')
    .option('--allow-cpu', 'use it although it has no GPU; its attempts are shown as "remote (cpu)"')
    .option('--cog-type <name>', 'it is a plain Cog server, and computes this job type; the type must be pure')
    .option('--replace', 'when there is a worker of that name')
    .addHelpText(
      'after',
      `
Examples:
  nightkiln gpu add rig https://rig.local:7801 --ca-file rig.pem --key-file rig.key
  nightkiln gpu add tunnel http://127.0.0.1:7801 --key-file rig.key
`,
    )
    .action(runner.act(add))
}

async function add(session: Session, options: AddOptions, given: string, url: string): Promise<number> {
  const { terminal } = session
  const name = checkedWorkerName(given)
  const worker = workerEntryOf(url, options, session.cwd)
  const call = { signal: session.interrupted }
  const request = { name, worker, replace: options.replace === true }
  const answer = await session.client().call('add_gpu_worker', request, call)
  if (!session.json) {
    terminal.line(`${answer.replaced ? 'replaced' : 'added'}: ${name}`)
    for (const note of answer.notes) terminal.note(terminal.harmless(forCommandLine(note)))
    terminal.note(terminal.colors.dim('connecting to it …'))
  }
  const { tests } = await session.client().call('test_gpu', { name }, call)
  if (session.json) terminal.value({ ...answer, tests })
  else {
    tellTests(session, tests)
    if (!tests.every(isUsable)) terminal.note(`it is kept; nightkiln gpu test ${name} connects to it again`)
  }
  return 0
}

async function test(session: Session, _options: object, name: string | undefined): Promise<number> {
  const { terminal } = session
  const request = name === undefined ? {} : { name }
  const answer = await session.client().call('test_gpu', request, { signal: session.interrupted })
  if (session.json) terminal.value(answer)
  else if (answer.tests.length === 0) terminal.problem(none)
  else tellTests(session, answer.tests)
  const isWell = answer.tests.length > 0 && answer.tests.every(isUsable)
  return isWell ? 0 : outcomeExitCodes.problem_found.code
}

function tellTests({ terminal }: Session, tests: readonly GpuWorkerTest[]): void {
  tests.forEach((one, index) => {
    if (index > 0) terminal.line()
    for (const line of gpuTestLines(one, terminal)) terminal.line(line)
  })
}

async function list(session: Session): Promise<number> {
  const { terminal } = session
  const answer = await session.client().call('list_gpu_workers', {}, { signal: session.interrupted })
  if (session.json) terminal.value(answer)
  else if (answer.workers.length === 0) terminal.note(none)
  else terminal.line(gpuWorkerTable(answer.workers, terminal, session.now()))
  return 0
}

async function remove(session: Session, _options: object, name: string): Promise<number> {
  const { terminal } = session
  const answer = await session.client().call('remove_gpu_worker', { name }, { signal: session.interrupted })
  if (session.json) terminal.value(answer)
  else {
    terminal.line(`removed: ${terminal.harmless(name)}`)
    terminal.note(terminal.colors.dim(terminal.harmless(forCommandLine(answer.next))))
  }
  return 0
}
