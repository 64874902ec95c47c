const quote = 0x22
const backslash = 0x5c
const colon = 0x3a
const comma = 0x2c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** Longest key or id that is remembered; a longer one is not an id that any client sends. */
const longestText = 256

export interface MessageIdScanner {
  /** Reads on in a JSON object that comes in pieces. */
  read(bytes: Uint8Array): void
  /** The value of the object's own key "id" when it is a string or an integer; undefined otherwise. */
  id(): string | number | undefined
  /** True when the object has a key "method" and so is a request or a notification. */
  isCall(): boolean
}

/** Finds the request id of a JSON-RPC message that is too large to be parsed, in constant memory. */
export function createMessageIdScanner(): MessageIdScanner {
  let depth = 0
  let inString = false
  let escapedNext = false
  /** The text collected at depth 1: a key before the colon, a value after it. */
  let text: number[] = []
  let key: string | null = null
  let found: string | number | undefined
  let call = false

  const collect = (byte: number) => {
    if (text.length <= longestText) text.push(byte)
  }
  const endOfValue = () => {
    if (key === 'id') found = parsedId(text)
    if (key === 'method') call = true
    key = null
    text = []
  }

  const readByte = (byte: number) => {
    if (inString) {
      if (depth === 1) collect(byte)
      if (escapedNext) escapedNext = false
      else if (byte === backslash) escapedNext = true
      else if (byte === quote) inString = false
      return
    }
    if (byte === quote) {
      inString = true
      if (depth === 1) collect(byte)
    } else if (byte === openBrace || byte === openBracket) {
      depth += 1
    } else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 1) endOfValue()
      depth -= 1
    } else if (depth === 1) {
      if (byte === colon && key === null) {
        key = parsedKey(text)
        text = []
      } else if (byte === comma) endOfValue()
      else collect(byte)
    }
  }

  return {
    read(bytes) {
      for (let index = 0; index < bytes.length; index += 1) readByte(bytes[index] ?? 0)
    },
    id: () => found,
    isCall: () => call,
  }
}

function parsed(bytes: readonly number[]): unknown {
  if (bytes.length > longestText) return undefined
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}

function parsedKey(bytes: readonly number[]): string {
  const value = parsed(bytes)
  return typeof value === 'string' ? value : ''
}

function parsedId(bytes: readonly number[]): string | number | undefined {
  const value = parsed(bytes)
  return typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value)) ? value : undefined
}
