import type { OutputFacts } from './attempt.ts'

/** The log of an attempt that runs elsewhere, kept where those of local attempts are: `<attempt directory>/output`, under its cap. */
export interface AttemptLog {
  /** Offset in the log over there from which on it is wanted: where this one ends. */
  readonly next: number
  /**
   * Never throws: a full disk must not fail an attempt because of its log.
   * @param next offset over there behind `text`; bytes that were dropped there lie between the two
   */
  append(text: string, next: number): Promise<void>
  /** Brings the files under the cap, makes them durable. */
  finish(): Promise<OutputFacts>
}

/** Makes the directory when it is not there; goes on where an earlier manager ended. */
export type OpenAttemptLog = (directory: string, maxOutputBytes: number) => AttemptLog
