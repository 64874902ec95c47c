import type { Logger } from 'pino'
import { createApi } from '../api/create-api.ts'
import type { ServiceContext } from '../services/service-context.ts'
import { composeScheduler } from './compose-scheduler.ts'
import { type Listener, listen } from './listener.ts'

/** What answers calls and submits what is scheduled. */
export interface Service {
  readonly listener: Listener
  readonly scheduler: ReturnType<typeof composeScheduler>
}

/** Listens on the socket. This module brings a third of the program: it is loaded once what waited for a manager has begun to run. */
export async function serveCalls(context: ServiceContext, log: Logger, socket: string): Promise<Service> {
  const scheduler = composeScheduler(context, log)
  const listener = await listen(createApi({ context, log }), socket)
  return { listener, scheduler }
}
