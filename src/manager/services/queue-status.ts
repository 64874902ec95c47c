import type { QueueStatusAnswer } from '../../domain/wire/jobs.ts'
import { readDeaths } from '../../platform/deaths-file.ts'
import { jobLine } from './job-view.ts'
import type { ServiceContext } from './service-context.ts'

const runningShown = 20
/** The night before is still told in the morning. */
const healingShownMs = 24 * 3_600_000
const deathWindowMs = 10 * 60_000

/** The manager, its slots, totals and what is wrong, if anything. */
export function queueStatus(context: ServiceContext): QueueStatusAnswer {
  const { store, clock, facts, settings, storage, dispatcher } = context
  const now = clock.now()
  const statistics = store.readStatistics(now)
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
    slots: dispatcher.slots,
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
    next: 'list_jobs shows jobs; job_status one of them.',
  }
}
