/** What computed, as a handler says. `software`: a software adapter that imitates a GPU. */
export interface ReportedDevice {
  readonly name: string
  readonly kind: 'gpu' | 'software' | 'cpu'
}

const kinds: readonly unknown[] = ['gpu', 'software', 'cpu'] satisfies readonly ReportedDevice['kind'][]
const longestName = 200

/**
 * @returns the device, its name as one line of at most 200 characters
 * @throws TypeError when the name is no text or empty, or the kind is none
 */
export function checkedDevice(name: unknown, kind: unknown): ReportedDevice {
  if (typeof name !== 'string')
    throw new TypeError(`reportDevice: the name is ${shown(name)}, but must be a text such as "NVIDIA H200"`)
  const line = cut(name.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\s]+/gu, ' ').trim())
  if (line === '') throw new TypeError('reportDevice: the name is empty; give one such as "NVIDIA H200"')
  if (!kinds.includes(kind))
    throw new TypeError(`reportDevice: the kind is ${shown(kind)}; valid: "gpu" (hardware only), "software", "cpu"`)
  return { name: line, kind: kind as ReportedDevice['kind'] }
}

/** Between two characters, and not within one. */
function cut(text: string): string {
  if (text.length <= longestName) return text
  const last = text.charCodeAt(longestName - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? longestName - 1 : longestName)
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `"${cut(value)}"`
  return value === undefined || value === null ? String(value) : `of type ${typeof value}`
}
