export interface ServerSentEvent {
  readonly event: string
  readonly id: string | null
  readonly data: string
}

/** Splits a byte stream into server-sent events (WHATWG HTML, 9.2.6). Comments and unknown fields are ignored. */
export async function* readServerSentEvents(stream: AsyncIterable<Uint8Array>): AsyncIterable<ServerSentEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true })
    let end = rest.indexOf('\n\n')
    while (end !== -1) {
      const parsed = parseEvent(rest.slice(0, end))
      if (parsed !== null) yield parsed
      rest = rest.slice(end + 2)
      end = rest.indexOf('\n\n')
    }
  }
}

function parseEvent(block: string): ServerSentEvent | null {
  let event = 'message'
  let id: string | null = null
  const data: string[] = []
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    if (colon === 0) continue
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') event = value
    else if (field === 'id') id = value
    else if (field === 'data') data.push(value)
  }
  return data.length === 0 ? null : { event, id, data: data.join('\n') }
}
