/** What a thread makes in an attempt directory, beside its output; without zod, since every thread loads it. */
export const attemptNames = {
  output: 'output',
  checkpoint: 'checkpoint.json',
  artifacts: 'artifacts',
  /** Files of the handler's own. */
  files: 'files',
  /** Artifact that a large result becomes. */
  largeResult: 'result.json',
} as const

/** Written this far ahead of whoever keeps the output short, a thread waits. */
export const aheadBytes = 4 * 1024 * 1024
/** An attempt that has written less than this needs nobody to look after its output. */
export const quietBytes = 256 * 1024
