import type { FrontEnd, Message } from './front-end.ts'

const tasksExtension = 'io.modelcontextprotocol/tasks'

export interface ModernOptions {
  /** Declares the tasks extension. */
  readonly tasks?: boolean
  /** Declares that it can show forms. */
  readonly forms?: boolean
}

/** A client of 2026-07-28 over raw frames: each request carries version and capabilities, there is no handshake. */
export interface ModernClient {
  request(method: string, params?: Record<string, unknown>, options?: ModernOptions): Promise<Message>
  callTool(name: string, input: Record<string, unknown>, options?: ModernOptions): Promise<Message>
  /** Sends a request with an id of the test's and waits for nothing. */
  send(id: string, method: string, params: Record<string, unknown>, options?: ModernOptions): void
}

export function envelope({ tasks = true, forms = false }: ModernOptions = {}): Record<string, unknown> {
  return {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'modern-client', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {
      ...(tasks ? { extensions: { [tasksExtension]: {} } } : {}),
      ...(forms ? { elicitation: { form: {} } } : {}),
    },
  }
}

export function modernClient(frontEnd: FrontEnd): ModernClient {
  const request: ModernClient['request'] = (method, params = {}, options) =>
    frontEnd.request(method, { ...params, _meta: envelope(options) })
  return {
    request,
    callTool: (name, input, options) => request('tools/call', { name, arguments: input }, options),
    send: (id, method, params, options) =>
      frontEnd.send({ id, method, params: { ...params, _meta: envelope(options) } }),
  }
}
