import { QueueError } from '../domain/errors.ts'

export interface ListenAddress {
  readonly host: string
  readonly port: number
  readonly isLoopback: boolean
}

export const defaultListen = '127.0.0.1:7801'

/** @param text such as `127.0.0.1:7801` or `[::]:7801` @throws QueueError invalid_input */
export function parseListen(text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || port > 65_535) {
    throw new QueueError('invalid_input', `--listen is "${text}", which is not HOST:PORT`, {
      remedy: `Write it as ${defaultListen}, or [::1]:7801 for IPv6.`,
    })
  }
  return { host, port, isLoopback: isLoopbackHost(host) }
}

/** @returns true for names and addresses that reach this machine alone */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase()
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}

/**
 * No key travels in the clear beyond this machine, and nothing beyond it is served without one.
 * @throws QueueError config_invalid
 */
export function assertExposable(address: ListenAddress, has: { readonly key: boolean; readonly tls: boolean }): void {
  if (address.isLoopback || (has.key && has.tls)) return
  const missing = [...(has.key ? [] : ['a key (--key-file)']), ...(has.tls ? [] : ['TLS (--tls-cert, --tls-key)'])]
  throw new QueueError(
    'config_invalid',
    `a worker that listens on ${address.host}, beyond this machine, needs ${missing.join(' and ')}`,
    {
      remedy: 'Make them with: nightkiln worker init --tls. Or listen on 127.0.0.1 and reach it by an SSH tunnel.',
    },
  )
}
