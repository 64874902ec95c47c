import { QueueError } from '../domain/errors.ts'
import type { OperationAnswer, OperationName, OperationRequest } from '../domain/wire/operations.ts'
import { type Connection, ConnectionLostError, openConnection, shakeHands } from './connection.ts'
import { launchCandidate } from './launcher.ts'
import { type Link, linkToManager } from './manager-link.ts'
import { eventsPath, type ManagerNotice, readNotices } from './manager-notices.ts'

export type { ManagerNotice } from './manager-notices.ts'

export interface CallOptions {
  /** Ends the call, never the job. */
  readonly signal?: AbortSignal
}

export interface EventsOptions {
  /** Id of the last event that is known. */
  readonly after?: number
  readonly jobIds?: readonly string[]
  readonly signal: AbortSignal
}

/** Typed client of the manager API. Stateless: the manager may die and be replaced between and during calls. */
export interface ManagerClient {
  /**
   * Calls one operation. Every operation is safe to repeat (submits carry an idempotency key), so a call whose connection
   * broke is sent again to the next manager.
   * @throws QueueError with the manager's code, or manager_unavailable
   */
  call<Name extends OperationName>(
    name: Name,
    request: OperationRequest<Name>,
    options?: CallOptions,
  ): Promise<OperationAnswer<Name>>
  /**
   * The event stream, from after `after` (default: now), first of all `open`; with `jobIds` only of these jobs, and of new ones.
   * While it is open the manager does not end for idleness. Ends when the manager ends; call again with the last id.
   */
  events(options: EventsOptions): AsyncIterable<ManagerNotice>
  /** Finds or launches the manager without calling anything. */
  connect(signal?: AbortSignal): Promise<Pick<Link, 'handshake' | 'launched'>>
  close(): Promise<void>
}

export interface ManagerClientOptions {
  readonly home: string
  readonly version: string
  /** Who calls, for people: name and version of the program. */
  readonly submittedBy: string
  /** False: never start a manager, throw manager_unavailable instead. */
  readonly launch?: boolean
  readonly readyTimeoutMs?: number
}

/** A call silent for this long makes the client ask whether the manager is alive at all. */
const silenceMs = 2_000
const probeTimeoutMs = 1_000
const repeatLimit = 8

/** @returns a lazy client: nothing is opened or started before the first call. */
export function createManagerClient(options: ManagerClientOptions): ManagerClient {
  let link: Promise<Link> | null = null
  let closed = false
  // Once in the life of a client: when even the manager that follows is older (a program replaced by an older one while this
  // client runs), asking again would make managers follow each other for ever.
  let replaceOlder = true

  function linked(signal?: AbortSignal): Promise<Link> {
    if (closed) throw new QueueError('manager_unavailable', 'this client was closed')
    // One search for all concurrent callers; not tied to the signal of the first of them.
    link ??= linkToManager({
      home: options.home,
      version: options.version,
      launch: options.launch ?? true,
      replaceOlder,
      readyTimeoutMs: options.readyTimeoutMs ?? 30_000,
    }).then(
      (found) => {
        if (found.replacedOlder) replaceOlder = false
        return found
      },
      (error: unknown) => {
        link = null
        throw error
      },
    )
    return signal === undefined ? link : abortable(link, signal)
  }

  async function drop(broken: Connection): Promise<void> {
    const current = link
    if (current !== null && (await current).connection === broken && link === current) link = null
    await broken.close()
  }

  async function call<Name extends OperationName>(
    name: Name,
    request: OperationRequest<Name>,
    callOptions: CallOptions = {},
  ): Promise<OperationAnswer<Name>> {
    const body = JSON.stringify(request)
    for (let round = 1; ; round += 1) {
      const { connection } = await linked(callOptions.signal)
      try {
        return (await postWatched(connection, name, body, callOptions.signal)) as OperationAnswer<Name>
      } catch (error) {
        if (!(error instanceof ConnectionLostError || isStopping(error))) throw error
        await drop(connection)
        if (round === repeatLimit) {
          throw new QueueError('manager_unavailable', `the manager went away ${repeatLimit} times during ${name}`, {
            cause: error,
          })
        }
      }
    }
  }

  /** True for the answer of a manager that takes nothing more: its successor does, if this client may start one. */
  function isStopping(error: unknown): boolean {
    return options.launch !== false && error instanceof QueueError && error.code === 'manager_unavailable'
  }

  /** While a call is silent, asks on a fresh connection whether anybody lives there; if not, a candidate is launched to judge and replace it. */
  async function postWatched(
    connection: Connection,
    name: string,
    body: string,
    signal?: AbortSignal,
  ): Promise<unknown> {
    let probing = false
    const watchdog = setInterval(() => {
      if (probing || options.launch === false) return
      probing = true
      void isSilent(connection.socket).then((silent) => {
        probing = false
        if (silent) launchCandidate(options.home)?.release()
      })
    }, silenceMs)
    try {
      return await connection.post(name, body, signal)
    } finally {
      clearInterval(watchdog)
    }
  }

  return {
    call,
    async *events({ signal, ...wanted }) {
      const { connection } = await linked(signal)
      const stream = await connection.stream(eventsPath(wanted), { accept: 'text/event-stream' }, signal)
      yield* readNotices(stream, wanted.jobIds)
    },
    async connect(signal) {
      const { handshake, launched } = await linked(signal)
      return { handshake, launched }
    },
    async close() {
      closed = true
      const current = link
      link = null
      const settled = await current?.catch(() => null)
      await settled?.connection.close()
    },
  }
}

/** True when a fresh connection gets no handshake: the process is stopped or its event loop hangs. */
async function isSilent(socket: string): Promise<boolean> {
  const probe = await openConnection(socket)
  try {
    await shakeHands(probe, probeTimeoutMs)
    return false
  } catch (error) {
    return error instanceof ConnectionLostError
  } finally {
    await probe.close()
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
