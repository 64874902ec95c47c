import { setTimeout as delay } from 'node:timers/promises'
import { Command } from 'commander'
import { readManagerFile } from '../../client/manager-file.ts'
import { errorKinds, QueueError } from '../../domain/errors.ts'
import { mayBeSameProcess, startTimeIfKnown } from '../../platform/process-identity.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { counted, formatSeconds } from '../display/quantities.ts'
import { queueOverview } from '../display/queue-overview.ts'
import { durationOption } from '../option-values.ts'
import type { Session } from '../session.ts'
import { managerLogsCommand } from './manager-logs.ts'

interface StopOptions {
  readonly drain?: string
  readonly release?: boolean
}

const stopMarginMs = 15_000
const pollMs = 20

export function managerCommand(runner: CommandRunner): Command {
  const group = new Command('manager')
    .summary('Start, stop and look at the manager')
    .description('Start, stop and look at the manager: the one process that keeps the queue.')
  group.addCommand(jsonCommand('start', 'Start the manager unless it runs').action(runner.act(start)))
  group.addCommand(
    jsonCommand('stop', 'Stop the manager; running commands go on unless --release is given')
      .option(
        '--drain <length>',
        'wait this long, such as 10m or 90 (a bare number: seconds), for running commands to end (default: not at all)',
      )
      .option('--release', 'stop the commands that still run then and queue them again')
      .action(runner.act(stop)),
  )
  group.addCommand(jsonCommand('status', 'Show the manager without starting it').action(runner.act(status)))
  group.addCommand(managerLogsCommand(runner))
  return group
}

async function start(session: Session): Promise<number> {
  const { terminal } = session
  const { handshake, launched } = await session.client().connect(session.interrupted)
  if (session.json)
    terminal.value({ pid: handshake.pid, started: launched, version: handshake.version, epoch: handshake.epoch })
  else
    terminal.line(
      `the manager ${launched ? 'was started' : 'runs already'}: pid ${handshake.pid}, version ${handshake.version}`,
    )
  return 0
}

async function stop(session: Session, options: StopOptions): Promise<number> {
  const { terminal } = session
  const drainMs = options.drain === undefined ? 0 : durationOption('--drain', options.drain)
  let answer: { pid: number; running: number }
  try {
    answer = await session
      .visitor()
      .call(
        'stop_manager',
        { drain_ms: drainMs, running: options.release === true ? 'release' : 'leave', reason: 'user' },
        { signal: session.interrupted },
      )
  } catch (error) {
    if (!(error instanceof QueueError) || error.code !== 'manager_unavailable') throw error
    if (session.json) terminal.value({ stopped: false, pid: null, running: 0 })
    else terminal.line('no manager runs')
    return 0
  }
  if (answer.running > 0 && drainMs > 0)
    terminal.note(`waits up to ${formatSeconds(drainMs / 1000)} for ${counted(answer.running, 'running job')}`)
  await untilGone(session, answer.pid, drainMs + stopMarginMs)
  if (session.json) terminal.value({ stopped: true, pid: answer.pid, running: answer.running })
  else {
    const one = answer.running === 1
    const left = one ? 'goes on and is taken over by the next manager' : 'go on and are taken over by the next manager'
    const fate = options.release === true ? (one ? 'is queued again' : 'are queued again') : left
    const rest = answer.running > 0 ? `; ${counted(answer.running, 'running job')} ${fate}` : ''
    terminal.line(`the manager (pid ${answer.pid}) was stopped${rest}`)
  }
  return 0
}

async function untilGone(session: Session, pid: number, timeoutMs: number): Promise<void> {
  const startTime = startTimeIfKnown(pid)
  const deadline = session.now() + timeoutMs
  while (startTime !== null && mayBeSameProcess({ pid, startTime })) {
    if (session.now() > deadline) {
      throw new QueueError('manager_unavailable', `the manager (pid ${pid}) was told to stop but still runs`, {
        remedy: `Look at nightkiln manager logs; kill -9 ${pid} is safe: nothing that was acknowledged is lost.`,
      })
    }
    await delay(pollMs, undefined, { signal: session.interrupted })
  }
}

async function status(session: Session): Promise<number> {
  const { terminal } = session
  try {
    const answer = await session.visitor().call('queue_status', {}, { signal: session.interrupted })
    if (session.json) terminal.value({ manager_running: true, ...answer })
    else for (const line of queueOverview(answer, terminal, session.now())) terminal.line(line)
    return 0
  } catch (error) {
    if (!(error instanceof QueueError) || error.code !== 'manager_unavailable') throw error
    const file = readManagerFile(session.paths().managerFile)
    if (session.json) terminal.value({ manager_running: false, state_directory: session.home(), last: file })
    else {
      terminal.line(`no manager runs in ${session.home()}`)
      if (file !== null) terminal.line(`the last one: pid ${file.pid}, version ${file.version}, ${file.state}`)
      terminal.note('it starts by itself with the next command or MCP call; or: nightkiln manager start')
    }
    return errorKinds.manager_unavailable.exitCode
  }
}
