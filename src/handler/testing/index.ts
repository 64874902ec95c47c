export { runHandler } from './run-handler.ts'
export type { HandlerRun, RecordedLog, RecordedProgress, RunOptions, RunOutcome } from './run-options.ts'
