import type { OutputFacts } from './attempt.ts'

/** The log of an attempt that runs elsewhere, kept where those of local attempts are: `<attempt directory>/output`, under its cap. */
export interface AttemptLog {
  /** Logical bytes it has, dropped ones included: where to go on from. */
  readonly bytes: number
  append(text: string): Promise<void>
  /** Brings the files under the cap, makes them durable. */
  finish(): Promise<OutputFacts>
}

/** Makes the directory when it is not there; goes on where an earlier manager ended. */
export type OpenAttemptLog = (directory: string, maxOutputBytes: number) => AttemptLog
