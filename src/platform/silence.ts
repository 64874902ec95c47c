import type { ProcessActivity } from './process-activity.ts'

/** Of a probe's time: what a process with a processor to itself surely uses, even beside a few others. */
const shareOfProcessor = 0.5
/** Beyond this the probing process was itself kept from running: the answer may lie unread. */
const lateFactor = 1.5

/**
 * Counts the unanswered probes of one suspect. On a crowded machine a healthy manager is silent because others have the
 * processor, so a probe counts only if the suspect was not waiting for one, or has used its share since the last that counted:
 * an endless loop uses its share, and a stopped or blocked process waits for no processor.
 */
export class Silence {
  private counted = 0
  private readonly readActivity: () => ProcessActivity | null
  private usedAtCountMs: number

  constructor(readActivity: () => ProcessActivity | null) {
    this.readActivity = readActivity
    this.usedAtCountMs = readActivity()?.cpuMs ?? 0
  }

  /**
   * Takes one unanswered probe.
   * @param allowedMs how long it was to wait for an answer
   * @param waitedMs how long it did, by this process's monotonic clock
   * @returns how many have counted in a row
   */
  add(allowedMs: number, waitedMs: number): number {
    if (waitedMs > allowedMs * lateFactor) return this.counted
    const activity = this.readActivity()
    if (activity?.runnable === true && activity.cpuMs - this.usedAtCountMs < allowedMs * shareOfProcessor) {
      return this.counted
    }
    this.usedAtCountMs = activity?.cpuMs ?? 0
    this.counted += 1
    return this.counted
  }

  /** An answer: it lives. */
  reset(): void {
    this.counted = 0
  }
}
