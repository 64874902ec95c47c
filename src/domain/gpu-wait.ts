import { formatDuration } from './format-duration.ts'

/** What a job whose units wait for a GPU worker waits for. */
export interface GpuWait {
  /** What the workers said; null: they are being asked. */
  readonly said: string | null
  /** Slots of the workers that serve it, all of them taken; null: that is not what it waits for, or they are not known. */
  readonly busySlots: number | null
  /** Ms until it has waited as long as it may; null: no time runs. */
  readonly leftMs: number | null
  /** What happens when no worker comes; null: nothing, since a worker computes other units of it. */
  readonly ending: 'falls_back' | 'fails' | null
}

/** @returns why nothing of a job runs at a GPU worker, and what happens when it stays so; without a full stop */
export function gpuWaitText(wait: GpuWait): string {
  return reasonOf(wait) + endOf(wait)
}

function reasonOf({ said, busySlots }: GpuWait): string {
  if (busySlots !== null) return `all GPU workers are busy (${busySlots} of ${busySlots} slots)`
  return `waits for a GPU worker: ${said === null ? 'they are being asked' : said.replace(/\.$/, '')}`
}

function endOf({ ending, leftMs, busySlots }: GpuWait): string {
  if (ending === null) return ''
  if (leftMs === null) return ending === 'falls_back' ? '; falls back to this machine' : ''
  const when = leftMs <= 0 ? 'now' : `in ${formatDuration(leftMs)}`
  if (ending === 'falls_back') return `; falls back ${when}`
  return `; fails ${when} if none ${busySlots === null ? 'comes' : 'becomes free'}`
}
