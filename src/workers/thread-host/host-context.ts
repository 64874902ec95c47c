import type { TreeKiller } from '../end-tree.ts'
import type { EndedAttempt, HostOrder, LastWords } from '../threads/protocol.ts'
import type { EndBook } from './end-book.ts'
import type { ManagerNews } from './manager-news.ts'

/** What the parts of the host share. */
export interface HostContext {
  readonly order: HostOrder
  /** Of the threads. */
  readonly environment: NodeJS.ProcessEnv
  readonly book: EndBook
  readonly news: ManagerNews
  readonly killer: TreeKiller
  /** Monotonic ms. */
  readonly clock: () => number
  readonly log: (message: string) => void
  readonly logDetails: (details: object, message: string) => void
  /** An attempt has ended. */
  readonly ended: () => void
  /** The host cannot go on: it leaves its last words and is gone. */
  readonly dies: (reason: LastWords['reason'], message: string, culprit: EndedAttempt | null) => void
}
