import type { AvailableHandler, BrokenHandler } from '../handler-info.ts'

/** Job types that are written as handlers: built in, and in the person's handler directory. */
export interface HandlerSource {
  /** Null: the type has no handler that can be used. */
  find(type: string): AvailableHandler | null
  available(): readonly AvailableHandler[]
  broken(): readonly BrokenHandler[]
  /** Looks at the directory again, unless that was a moment ago: a file that was dropped in is seen by the next call. */
  refresh(): Promise<void>
  /** Told when anything may have changed. */
  onChange(listener: () => void): void
  close(): Promise<void>
}
