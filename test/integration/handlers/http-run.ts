import { type RunOptions, runHandler } from '../../../src/handler/testing/index.ts'
import http from '../../../src/workers/handlers/http.ts'

type Optional<Schema> = NonNullable<Schema>
export type Given = RunOptions<typeof http.params, Optional<typeof http.unit>, Optional<typeof http.checkpoint>>

/** Runs one attempt of the job type http, with an empty environment unless one is given. */
export const request = (params: Given['params'], rest: Omit<Given, 'params'> = {}) =>
  runHandler(http, { environment: {}, ...rest, params })
