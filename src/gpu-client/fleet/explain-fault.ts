import type { GpuWorkerEntry, GpuWorkerTest } from '../../domain/wire/gpu.ts'
import type { WorkerFault } from '../worker-client.ts'
import { addLine } from './add-line.ts'

type Explanation = Pick<GpuWorkerTest, 'state' | 'summary' | 'remedy'>

const selfSigned: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
])

function tlsRemedy(name: string, entry: GpuWorkerEntry, code: string): string {
  if (code === 'CA_FILE') return 'Copy the certificate of the worker there again, or correct ca_file.'
  if (code === 'CERT_HAS_EXPIRED')
    return 'Make a new certificate on the worker (nightkiln worker init --tls), and copy it here.'
  if (code === 'CERT_NOT_YET_VALID') return 'Compare the clocks of both machines.'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'Use the host name or the address that the certificate is for, or make one for this host (nightkiln worker init --tls).'
  }
  if (selfSigned.has(code)) {
    return entry.ca_file === undefined
      ? `Copy the worker's certificate to this machine and name it: ${addLine(name, entry, '--ca-file FILE')}`
      : `The worker shows another certificate than the one in --ca-file ${entry.ca_file}: copy it again from the worker, over a way that you trust.`
  }
  return 'Check that the worker serves TLS on this port (nightkiln worker --tls-cert … --tls-key …).'
}

function keyPlace(entry: GpuWorkerEntry): string {
  if (entry.key === undefined) return ''
  if ('file' in entry.key) return `the file ${entry.key.file}`
  if ('env' in entry.key) return `the environment variable ${entry.key.env}`
  return `the keychain entry ${entry.key.keychain.service}/${entry.key.keychain.account}`
}

function explainKey(name: string, entry: GpuWorkerEntry, fault: WorkerFault): Explanation {
  if (fault.kind === 'key_missing') {
    return {
      state: 'key_missing',
      summary: `The key for the worker cannot be used: ${fault.message}.`,
      remedy:
        fault.code === 'KEY_MODE'
          ? 'Then test again; make a new key at the worker if others had access.'
          : 'Put the key there that "nightkiln worker init" made at the worker, one line, readable by you alone; then test again.',
    }
  }
  if (entry.key === undefined) {
    return {
      state: 'key_missing',
      summary: 'The worker answered, and wants a key; none is configured for it here.',
      remedy: `Put the worker's key into a file (chmod 600): ${addLine(name, entry, '--key-file FILE')}`,
    }
  }
  return {
    state: 'key_refused',
    summary: `The worker answered, but refused the key: the one in ${keyPlace(entry)} is not the one that it was started with.`,
    remedy: `Copy the worker's key into ${keyPlace(entry)}, then test again.`,
  }
}

/** @returns what went wrong while a worker was tested, for people */
export function explainFault(name: string, entry: GpuWorkerEntry, fault: WorkerFault): Explanation {
  const { url } = entry
  switch (fault.kind) {
    case 'key_refused':
    case 'key_missing':
      return explainKey(name, entry, fault)
    case 'tls':
      return {
        state: 'tls_problem',
        summary: `No trusted connection to ${url}: ${fault.message} (${fault.code}).`,
        remedy: tlsRemedy(name, entry, fault.code),
      }
    case 'not_sent':
      return {
        state: 'unreachable',
        summary: `No connection to ${url}: ${fault.message} (${fault.code}).`,
        remedy: `Check that the worker runs there (nightkiln worker --listen …), the host and the port${
          new URL(url).port === '' ? ' (none is named in the URL; a worker listens on 7801 unless told otherwise)' : ''
        }; then firewall or tunnel.`,
      }
    case 'ambiguous':
      return {
        state: 'unreachable',
        summary: `Something took the connection at ${url} and gave no whole answer: ${fault.message} (${fault.code}).`,
        remedy: url.startsWith('http:')
          ? 'The port may want https://, or something else listens there; look at the output of the worker.'
          : 'The worker may hang, or something else listens there; look at the output of the worker.',
      }
    case 'busy':
    case 'slow_down':
      return {
        state: 'busy',
        summary: `The worker answered, but takes nothing now: ${fault.message} (${fault.code}).`,
        remedy: 'Wait and test again.',
      }
    case 'server_error':
      return {
        state: 'unreachable',
        summary: `The worker answered, but failed (${fault.code}).`,
        remedy: 'Look at the output of the worker on its machine.',
      }
    default:
      return {
        state: 'wrong_protocol',
        summary: `Something answered at ${url}, but not as a GPU worker does: ${fault.message} (${fault.code}).`,
        remedy:
          'Check host and port; a worker is started with "nightkiln worker --listen …", in a version as new as this one.',
      }
  }
}
