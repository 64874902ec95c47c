export const parseError = -32700
export const invalidRequest = -32600

export interface ProtocolErrorParts {
  /** Left out when the id of the request is not known. */
  readonly id?: string | number
  readonly data?: unknown
}

/** @returns a line with a JSON-RPC error that this process answers without the protocol library. */
export function protocolError(code: number, message: string, parts: ProtocolErrorParts = {}): string {
  const id = parts.id === undefined ? {} : { id: parts.id }
  const data = parts.data === undefined ? {} : { data: parts.data }
  return `${JSON.stringify({ jsonrpc: '2.0', ...id, error: { code, message, ...data } })}\n`
}
