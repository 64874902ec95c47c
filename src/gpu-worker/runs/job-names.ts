import { canonicalHash } from '../storage/canonical-hash.ts'

/** A thread host forgets jobs without an attempt long before. */
const mostKnown = 1_000

/** Ids of jobs as the thread host gets them: it takes the parameters of a job it knows from the first attempt. */
export class JobNames {
  readonly #known = new Map<string, string>()

  /** @returns the id itself, unless a job with other content has it: then one that is only this content's */
  nameOf(jobId: string, content: unknown): string {
    const hash = canonicalHash(content)
    const known = this.#known.get(jobId) ?? hash
    this.#known.delete(jobId)
    this.#known.set(jobId, known)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= mostKnown) break
      this.#known.delete(oldest)
    }
    return known === hash ? jobId : `${jobId.slice(0, 40)}~${hash.slice(0, 16)}`
  }
}
