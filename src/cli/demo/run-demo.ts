import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createManagerClient } from '../../client/manager-client.ts'
import { readManagerFile } from '../../client/manager-file.ts'
import { statePaths } from '../../config/paths.ts'
import { version } from '../../config/version.ts'
import { type StatusAnswer, statusAnswer, whatsNewAnswer } from '../../domain/wire/jobs.ts'
import { submitAnswer } from '../../domain/wire/submit.ts'
import { type Chat, openChat } from './chat.ts'
import { processesWithHome } from './demo-processes.ts'
import { DemoScreen } from './demo-screen.ts'
import { checkResults, countStarts, type DemoWork, demoWork } from './demo-work.ts'

const drawEveryMs = 200
/** The client dies when the slow job is this far, the manager a little later. */
const killClientAtPercent = 20
const longestMs = 55_000

interface Run {
  readonly screen: DemoScreen
  readonly home: string
  readonly work: DemoWork
  readonly environment: NodeJS.ProcessEnv
  readonly broken: string[]
}

/**
 * The main job, for real: an MCP client submits work, its whole process group is killed, then the manager, while a command
 * runs; a new client in a new chat finds everything and waits for the end.
 * @returns exit code: 0 when every promise was kept
 */
export async function runDemo(options: { readonly json: boolean }): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'nightkiln-demo-'))
  const environment = { ...process.env, NIGHTKILN_HOME: join(home, 'state') }
  // Within this process too: paths and the final stop are of the demo's own state.
  process.env['NIGHTKILN_HOME'] = environment.NIGHTKILN_HOME
  const run: Run = {
    screen: new DemoScreen(options.json),
    home: environment.NIGHTKILN_HOME,
    work: demoWork(join(home, 'work')),
    environment,
    broken: [],
  }
  const begun = performance.now()
  try {
    await play(run)
  } catch (error) {
    run.broken.push(`the demo could not go on: ${(error as Error).message}`)
  }
  await leaveNothingBehind(run)
  const seconds = (performance.now() - begun) / 1000
  if (seconds > longestMs / 1000 + 5) run.broken.push(`it took ${seconds.toFixed(0)} s`)
  run.screen.verdict(run.broken, seconds, { home: run.home, folder: home })
  return run.broken.length === 0 ? 0 : 1
}

async function play(run: Run): Promise<void> {
  const { screen, work, environment } = run
  screen.step(`A chat opens. Its assistant works on ${work.tree}.`)
  const first = await openChat(environment)
  const ids: string[] = []
  for (const job of work.jobs) {
    const answer = submitAnswer.parse(await first.call('submit_job', job.submit))
    ids.push(answer.id)
    screen.fact(`submit_job ${job.name} → ${answer.id}`)
  }
  const slow = ids.at(-1) ?? ''
  await watch(run, first, ids, (status) => percentOf(status, slow) >= killClientAtPercent)
  const manager = readManagerFile(statePaths(run.home).managerFile)
  if (manager === null) throw new Error('manager.json is missing')

  screen.step(`kill -9 of the chat: client ${first.pid} and server ${first.serverPid}, the whole process group.`)
  await first.killGroup()
  screen.step(`kill -9 of the manager ${manager.pid} as well. Only the running command is left.`)
  process.kill(manager.pid, 'SIGKILL')
  await delay(800)

  screen.step('A new chat opens, knowing nothing, and asks what happened.')
  const second = await openChat(environment)
  const digest = whatsNewAnswer.parse(await second.call('whats_new', {}))
  screen.digest(digest)
  if (digest.counts.finished + digest.counts.unfinished !== ids.length)
    run.broken.push('whats_new did not show every job')
  const seen = [...digest.finished, ...digest.unfinished].map((line) => line.id)
  const end = await watch(run, second, seen, (status) => status.jobs.every((job) => job.final))
  const next = readManagerFile(statePaths(run.home).managerFile)
  if (next === null || next.epoch <= manager.epoch) run.broken.push('no new manager took over')
  else
    screen.fact(`manager ${next.pid} (epoch ${next.epoch}) had taken over from ${manager.pid} (epoch ${manager.epoch})`)
  judge(run, end)
  await second.call('whats_new', { acknowledge: digest.cursor })
  await second.close()
}

async function watch(
  run: Run,
  chat: Chat,
  ids: readonly string[],
  until: (status: StatusAnswer) => boolean,
): Promise<StatusAnswer> {
  const deadline = performance.now() + longestMs
  for (;;) {
    const status = statusAnswer.parse(await chat.call('job_status', { ids, detail: 'full' }))
    run.screen.draw(status.jobs)
    if (until(status)) {
      run.screen.drawEnd()
      return status
    }
    if (performance.now() > deadline) throw new Error('it took too long')
    await delay(drawEveryMs)
  }
}

function percentOf(status: StatusAnswer, id: string): number {
  const job = status.jobs.find((candidate) => candidate.id === id)
  if (job === undefined) return 0
  return job.final ? 100 : (job.progress?.percent ?? 0)
}

/** Results, attempts and the commands' own ledger must agree: everything done, nothing done twice. */
function judge({ screen, work, broken }: Run, status: StatusAnswer): void {
  const starts = countStarts(work.folder)
  for (const job of status.jobs) {
    screen.result(job, starts.get(job.name) ?? 0)
    if (job.state !== 'completed') broken.push(`${job.name} is ${job.state}: ${job.why}`)
    if (job.attempts !== 1) broken.push(`${job.name} needed ${job.attempts} attempts`)
    if (starts.get(job.name) !== 1)
      broken.push(`${job.name} was started ${starts.get(job.name) ?? 0} times by its own ledger`)
  }
  if (status.jobs.length !== work.jobs.length)
    broken.push(`${status.jobs.length} of ${work.jobs.length} jobs were found again`)
  broken.push(...checkResults(work.folder))
}

async function leaveNothingBehind({ home, broken }: Run): Promise<void> {
  const client = createManagerClient({ home, submittedBy: 'demo', version, launch: false })
  try {
    await client.call('stop_manager', { running: 'release' })
  } catch {
    // It had not come up at all: then there is nothing to stop.
  } finally {
    await client.close()
  }
  const deadline = performance.now() + 10_000
  while (processesWithHome(home).length > 0 && performance.now() < deadline) await delay(20)
  const left = processesWithHome(home)
  if (left.length > 0) broken.push(`processes are left: ${left.join(', ')}`)
}
