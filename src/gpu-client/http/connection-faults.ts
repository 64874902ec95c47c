import { errors } from 'undici'
import { WorkerFault } from '../worker-client.ts'

/** OpenSSL's reasons to distrust a certificate, as Node names them, that begin with none of the prefixes below. */
const certificateCodes: ReadonlySet<string> = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'CRL_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_CRL',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'EPROTO',
])

function isTlsCode(code: string): boolean {
  return certificateCodes.has(code) || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'UNKNOWN'
  const { code, errors } = error as { code?: unknown; errors?: unknown }
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code)) return code
  // One error for each address that was tried.
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : 'UNKNOWN'
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the host name cannot be looked up now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  NOT_LOOPBACK: 'localhost does not lead to this machine',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  ETIMEDOUT: 'no connection in time',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate was signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate was signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate was signed by an unknown authority',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on this port',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped in the middle',
  UND_ERR_SOCKET: 'the connection broke',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  DEADLINE: 'the answer took too long',
  ABORTED: 'the request was given up',
}

function fault(kind: WorkerFault['kind'], code: string, cause: unknown): WorkerFault {
  const text = words[code] ?? (kind === 'tls' ? 'no trusted connection' : 'the connection failed')
  // The cause is kept for debuggers; its text may repeat bytes of the worker, so it is never shown.
  return new WorkerFault(kind, code, text, { cause })
}

/**
 * @param connecting true when the error came out of making the connection: only then nothing was sent for sure. What else
 * breaks, with whatever code, may have broken after the worker had read the request
 */
export function faultOfConnection(error: unknown, connecting: boolean): WorkerFault {
  if (error instanceof WorkerFault) return error
  const code = codeOf(error)
  if (connecting) return fault(isTlsCode(code) ? 'tls' : 'not_sent', code, error)
  // One that ends in the middle of HTTP is a broken connection.
  const isHttp = !(error instanceof errors.HTTPParserError) || error.message.includes('EOF')
  if (!isHttp || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new WorkerFault('protocol', 'NOT_HTTP', 'its answer is not HTTP', { cause: error })
  }
  return fault('ambiguous', code, error)
}
