import { BlockList, isIP } from 'node:net'
import { QueueError } from '../domain/errors.ts'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** @returns true for 127.0.0.0/8 and ::1, mapped ones included */
export function isLoopbackAddress(address: string): boolean {
  const version = isIP(address)
  return version !== 0 && loopback.check(address, version === 4 ? 'ipv4' : 'ipv6')
}

/** Where a worker is. */
export interface WorkerUrl {
  readonly origin: string
  /** Begins and ends with a slash. */
  readonly basePath: string
  /** Plain HTTP: this machine only. */
  readonly plain: boolean
}

const example = 'such as https://rig.local:7801'

/**
 * @throws QueueError invalid_input for what is no URL of a worker. A user name, password, query or fragment is refused: they
 * would carry secrets, and are not repeated in the message
 */
export function parseWorkerUrl(text: string): WorkerUrl {
  const url = URL.canParse(text) ? new URL(text) : null
  const refuse = (what: string, remedy?: string): never => {
    throw new QueueError('invalid_input', what, remedy === undefined ? {} : { remedy })
  }
  if (url === null || url.host === '') return refuse(`the URL of a worker must be one ${example}`)
  if (url.username !== '' || url.password !== '') {
    return refuse(
      'the URL of a worker holds a user name or a password',
      'Leave it out; name a key file with --key-file instead.',
    )
  }
  if (url.search !== '' || url.hash !== '')
    return refuse(`the URL of a worker has a query or a fragment; give one ${example}`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return refuse(`"${url.protocol}//" is not a way to reach a worker; give a URL ${example}`)
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const plain = url.protocol === 'http:'
  if (plain && host !== 'localhost' && !isLoopbackAddress(host)) {
    return refuse(
      `http:// to ${host} would be readable on the way; plain HTTP goes to this machine only`,
      'Give the worker a certificate (nightkiln worker init --tls) and use https:// with --ca-file, or use an SSH tunnel to 127.0.0.1.',
    )
  }
  return { origin: url.origin, basePath: url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`, plain }
}
