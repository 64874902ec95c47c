import type { Job } from '../domain/job.ts'
import type { TransactionParticipant } from './transaction-scope.ts'

/** One thing that may concern the running manager. */
export type ChangeNote =
  /** Any lane of the job may have become claimable. */
  | { readonly kind: 'job'; readonly seq: number }
  /** One lane of it may. */
  | { readonly kind: 'lane'; readonly seq: number; readonly limitKey: string | null }
  /** Any job of the queue may have become claimable. */
  | { readonly kind: 'queue'; readonly name: string }
  /** What runs of the job must be stopped. */
  | { readonly kind: 'stop'; readonly seq: number }
  | { readonly kind: 'settled'; readonly job: Job }
  | { readonly kind: 'feed' }
  /** A cancelled job has more units than one transaction should cancel. */
  | { readonly kind: 'sweep'; readonly jobId: string }

/**
 * What changed since the notes were last taken: written beside the rows, undone with their savepoints, and read at the end of
 * a transaction, so that looking for consequences costs as much as there were changes.
 */
export class ChangeNotes implements TransactionParticipant {
  #notes: ChangeNote[] = []

  add(note: ChangeNote): void {
    this.#notes.push(note)
  }

  /** @returns the notes, which are forgotten. */
  take(): readonly ChangeNote[] {
    const notes = this.#notes
    this.#notes = []
    return notes
  }

  mark(): () => void {
    const notes = this.#notes
    const { length } = notes
    return () => {
      // What was taken since is there again.
      notes.length = length
      this.#notes = notes
    }
  }

  flush(): void {
    // They stay until they are taken.
  }
}
