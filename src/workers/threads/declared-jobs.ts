import type { HandlerJob } from '../../domain/ports/thread-executor.ts'
import type { WireJob } from './protocol.ts'
import type { AttemptWork } from './thread-attempt.ts'

/** Jobs without an attempt in the host that it is let remember: the next units of them are likely to come. */
const mostIdle = 100

/** Which jobs one host knows: each is declared once, and forgotten when it has had no attempt there for long. */
export class DeclaredJobs {
  /** Attempts in the host, by job key: a new connection changes nothing about them. */
  readonly #attempts = new Map<string, number>()
  /** Those without one, the longest idle first. */
  readonly #idle = new Set<string>()
  /** On this connection. */
  readonly #declared = new Set<string>()

  /** @returns true when its job need not be declared before an attempt is handed over */
  knows(jobKey: string): boolean {
    return this.#declared.has(jobKey)
  }

  /** An attempt is handed over. @returns true when its job must be declared before */
  use(jobKey: string): boolean {
    const attempts = this.#attempts.get(jobKey)
    this.#attempts.set(jobKey, (attempts ?? 0) + 1)
    if (attempts === 0) this.#idle.delete(jobKey)
    const isNew = !this.#declared.has(jobKey)
    if (isNew) this.#declared.add(jobKey)
    return isNew
  }

  /** An attempt has ended, or never arrived. @returns a job that the host is to forget; null: none */
  release(jobKey: string): string | null {
    const attempts = this.#attempts.get(jobKey)
    if (attempts === undefined || attempts === 0) return null
    this.#attempts.set(jobKey, attempts - 1)
    if (attempts > 1) return null
    this.#idle.add(jobKey)
    if (this.#idle.size <= mostIdle) return null
    const [oldest = jobKey] = this.#idle
    this.#idle.delete(oldest)
    this.#attempts.delete(oldest)
    this.#declared.delete(oldest)
    return oldest
  }

  /** It may be unknown to the host: the next attempt declares it again, which harms nothing. */
  doubt(jobKey: string): void {
    this.#declared.delete(jobKey)
  }

  /** On a new connection nothing is taken for known. */
  clear(): void {
    this.#declared.clear()
  }
}

/** @returns what names job and code towards a host; a final step has params of its own */
export function jobKeyOf({ job, task }: AttemptWork): string {
  const key = `${job.jobId}@${job.handler.revision}`
  return task.resultsFile === null ? key : `${key}#final`
}

export function wireJob(job: HandlerJob, jobKey: string): WireJob {
  const { handler } = job
  return {
    job_key: jobKey,
    job_id: job.jobId,
    handler: {
      type: handler.type,
      file: handler.file,
      revision: handler.revision,
      reusable: handler.reusable,
      heap_megabytes: handler.heapMegabytes,
    },
    params: job.params,
    dependencies: job.dependencies,
    environment: { ...job.environment },
    cwd: job.cwd,
    unit_timeout_ms: job.unitTimeoutMs,
    idle_timeout_ms: job.idleTimeoutMs,
    cancel_grace_ms: job.cancelGraceMs,
    max_output_bytes: job.maxOutputBytes,
  }
}
