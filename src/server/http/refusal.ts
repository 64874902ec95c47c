/** JSON-RPC codes of answers that no message of the protocol layer gives. */
export const rpcCode = {
  parseError: -32_700,
  invalidRequest: -32_600,
  internalError: -32_603,
  refused: -32_000,
  sessionNotFound: -32_001,
} as const

/**
 * A request that never reaches a server: a JSON-RPC error without an id, since nothing of its body is believed.
 * @param message what is wrong, and what to do
 */
export function refusal(
  status: number,
  message: string,
  more: { readonly code?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): Response {
  const body = { jsonrpc: '2.0', error: { code: more.code ?? rpcCode.refused, message } }
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...more.headers },
  })
}

/** Too much at once: nothing was begun, so the same request may be sent again. */
export function busy(message: string): Response {
  return refusal(503, message, { headers: { 'retry-after': '1' } })
}
