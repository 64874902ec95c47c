import { QueueError } from '../../domain/errors.ts'
import { hostName, isLoopbackName } from './guard.ts'

export const defaultListen = '127.0.0.1:8765'

export interface ListenAddress {
  /** Without brackets. */
  readonly host: string
  readonly port: number
}

/**
 * @param publicNames the names of a reverse proxy in front; without one nothing beyond this machine is served
 * @throws QueueError invalid_input
 */
export function parseListen(text: string, publicNames: readonly string[]): ListenAddress {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/i.exec(text)
  const host = (match?.[1] ?? match?.[2])?.toLowerCase()
  const port = Number(match?.[3])
  if (host === undefined || port > 65_535) {
    throw new QueueError('invalid_input', `--http is "${text}", which is not HOST:PORT`, {
      remedy: `Write it as ${defaultListen}, or [::1]:8765 for IPv6.`,
    })
  }
  if (!isLoopbackName(host) && publicNames.length === 0) {
    throw new QueueError(
      'invalid_input',
      `--http is "${text}", which others can reach, and this server does not encrypt what it says`,
      {
        remedy: `It belongs behind a reverse proxy that speaks TLS: listen on ${defaultListen} and give the name of the proxy with --public-name; with that option any address is taken.`,
      },
    )
  }
  return { host, port }
}

/** @returns the names as they stand in Host headers @throws QueueError invalid_input */
export function parsePublicNames(given: readonly string[]): readonly string[] {
  return given.map((text) => {
    const name = hostName(text)
    if (name !== null && !/:\d+$/.test(text)) return name
    throw new QueueError('invalid_input', `--public-name is "${text}", which is not the name of a machine`, {
      remedy: 'Give the name alone, such as jobs.example.org, without https:// and port.',
    })
  })
}
