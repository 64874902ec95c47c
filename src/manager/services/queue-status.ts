import type { Statistics } from '../../domain/ports/history-store.ts'
import type { QueueStatusAnswer } from '../../domain/wire/jobs.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import type { QueueView } from '../../domain/wire/shared.ts'
import { readDeaths } from '../../platform/deaths-file.ts'
import { gpuWorkers, nextOf } from './gpu-workers.ts'
import { jobLine } from './job-view.ts'
import { queueView } from './queue-view.ts'
import type { ServiceContext } from './service-context.ts'

const runningShown = 20
/** The night before is still told in the morning. */
const healingShownMs = 24 * 3_600_000
const deathWindowMs = 10 * 60_000
const queuesShown = 50
const gpuWorkersShown = 50
const prunedShown = 10
const prunedShownMs = 30 * 24 * 3_600_000

/** The manager, its slots, totals and what is wrong, if anything. */
export async function queueStatus(
  context: ServiceContext,
  request: OperationCall<'queue_status'>,
): Promise<QueueStatusAnswer> {
  const { store, clock, facts, settings, storage, dispatcher, fleet } = context
  // Before anything is read: it takes seconds, and what it finds is in the status then.
  const gpuTests = request.test_gpu ? (await fleet.test(null)).slice(0, gpuWorkersShown) : null
  const workers = (await gpuWorkers(fleet)).slice(0, gpuWorkersShown)
  const now = clock.now()
  const statistics = await readStatistics(context, now)
  const enabled = store.readSchedules().filter((schedule) => schedule.enabled)
  const dueTimes = enabled.flatMap(({ nextRunAt }) => (nextRunAt === null ? [] : [nextRunAt]))
  const freeBytes = storage.freeBytes()
  const accepting = storage.acceptsJobs
  const { deaths, healing_stopped: healingStopped } = readDeaths(facts.deathsFile)
  const recentDeaths = deaths.filter((death) => death.at > now - deathWindowMs).length
  const warnings = [
    ...(accepting ? [] : [`Only ${freeBytes} bytes are free: new jobs are refused until space is freed.`]),
    ...(storage.healthy ? [] : ['The database reported errors; it is being reopened.']),
    ...(recentDeaths < 2
      ? []
      : [`The manager died ${recentDeaths} times within 10 minutes; nightkiln manager logs may say why.`]),
    ...(healingStopped === null || healingStopped.at < now - healingShownMs
      ? []
      : [
          `Self-healing stopped at ${new Date(healingStopped.at).toISOString()}: ${healingStopped.reason}; until a client came, nothing was started.`,
        ]),
  ]
  const gpuAdvice = workers.length === 0 || gpuTests !== null ? '' : ` ${nextOf(workers) ?? ''}`.trimEnd()
  return {
    manager: {
      version: facts.version,
      pid: facts.pid,
      epoch: facts.epoch,
      started_at: new Date(facts.startedAt).toISOString(),
      uptime_s: Math.max(0, Math.round((now - facts.startedAt) / 1000)),
      state_directory: facts.home,
      state: context.isDraining() ? 'draining' : 'leading',
      rss_bytes: process.memoryUsage.rss(),
    },
    slots: dispatcher.slotsOfKind('command'),
    threads: {
      ...dispatcher.slotsOfKind('thread'),
      hosts: context.threads
        .status()
        .map(({ pid, threads, attempts, rssBytes }) => ({ pid, threads, attempts, rss_bytes: rssBytes })),
    },
    gpu_workers: workers,
    ...(gpuTests === null ? {} : { gpu_tests: gpuTests }),
    queues: notableQueues(context),
    schedules: {
      enabled: enabled.length,
      next_run_at: dueTimes.length === 0 ? null : new Date(Math.min(...dueTimes)).toISOString(),
    },
    pruned: store
      .readPruning(prunedShown)
      .filter(({ at }) => at > now - prunedShownMs)
      .map(({ at, jobs, bytes, rule }) => ({ at: new Date(at).toISOString(), jobs, bytes, rule })),
    jobs: statistics.jobs,
    last_24h: statistics.last24Hours,
    running: store.listJobs({ states: ['running'] }, { limit: runningShown }).map((job) => jobLine(context, job)),
    storage: {
      healthy: storage.healthy,
      free_bytes: freeBytes,
      floor_bytes: settings.free_space_floor,
      accepting_jobs: accepting,
    },
    warnings,
    next: `list_jobs {"states":["unfinished"]} shows what runs and waits.${gpuAdvice}`,
  }
}

/** A day may have seen very many jobs; they are counted beside the manager's own thread, and by it only when that fails. */
async function readStatistics({ reader, store }: ServiceContext, now: number): Promise<Statistics> {
  try {
    return await reader.readStatistics(now)
  } catch {
    return store.readStatistics(now)
  }
}

/** Those with a limit, a hold or something running; first those that people stopped. */
function notableQueues(context: ServiceContext): QueueView[] {
  return context.store
    .readQueues()
    .map((queue) => queueView(context, queue))
    .filter(({ paused, concurrency, rate_limit: rate, held_until: held, running }) =>
      [paused, concurrency !== null, rate !== null, held !== null, running > 0].includes(true),
    )
    .sort((left, right) => Number(right.paused) - Number(left.paused))
    .slice(0, queuesShown)
}
