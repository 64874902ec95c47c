import { cutText } from './cut-text.ts'

/** Longer lines are judged by their beginning. */
const judgedCharacters = 400

/** Colours, as terminals take them or as they are shown once they are harmless. */
const colours = /(?:\u001b|\\x1b)\[[0-9;]*[A-Za-z]/g

/** How programs begin to say why they fail: languages, compilers, shells, test runners, package managers. */
const causes: readonly RegExp[] = [
  /^\s*Traceback \(most recent call last\)/,
  /(?:Error|Exception|Warning as error)(?::|\s+in\b|\s*$)/,
  /\berror(?:\[\w+\]|\s+[A-Z]+\d+)?\s*:/i,
  /\b(?:ERROR|FATAL|CRITICAL)\b/,
  /\bfatal(?::|\s+error\b)/i,
  /\bpanic(?::|ked at\b)/i,
  /\bFAILED\b|^\s*(?:--- )?FAIL\b|^E {3}\S/,
  /\bfailed (?:to|with)\b|\bfailed[!:]?\s*$/i,
  /\bnpm (?:ERR!|error)/,
  /\bnot found\s*$|command not found|\bNo such file or directory\b|\bPermission denied\b|\bNo module named\b/i,
  /\bsegmentation fault\b|\bsegfault\b|\bcore dumped\b|^\s*(?:Killed|Aborted)\b/i,
  /\bout of memory\b|\bcannot allocate memory\b|\bno space left on device\b/i,
  /\bundefined reference to\b|\bassertion\b.*\bfailed\b|\*\*\* \[.*\bError \d+/i,
  /\bunhandled\b.*\brejection\b|\buncaught\b|\bterminate called\b|\bInvalid data found\b/i,
]

/** Sums that say that nothing went wrong. */
const harmless =
  /\b(?:0|no|zero|without)\s+(?:\w+\s+)?(?:errors?|failures?|failed|exceptions?)\b|\b(?:errors?|failures?|failed|exceptions?)\s*[:=]\s*(?:0|none|no|false|null)\s*(?:[,;.)\]]|$)/i

/** @returns where the first line begins that looks like the cause of a failure; -1 when none does */
export function causeOffset(text: string): number {
  let from = 0
  for (;;) {
    const end = text.indexOf('\n', from)
    const line = text.slice(from, Math.min(end < 0 ? text.length : end, from + judgedCharacters)).replace(colours, '')
    if (isCause(line.trimEnd())) return from
    if (end < 0) return -1
    from = end + 1
  }
}

function isCause(line: string): boolean {
  return causes.some((cause) => cause.test(line)) && !harmless.test(line)
}

/**
 * What of an output tells most about a failure: from the first line that looks like its cause; the whole when none does.
 * @param most characters of the extract: of a longer one the middle is left out, of an output without a cause the beginning
 */
export function errorExtract(text: string, most = Number.POSITIVE_INFINITY): string {
  const from = causeOffset(text)
  const extract = text.slice(Math.max(0, from))
  if (extract.length <= most) return extract
  if (from < 0) return `… ${end(extract, most - 2)}`
  const note = `\n… (${extract.length - most} characters or more left out)\n`
  const room = Math.max(0, most - note.length)
  const head = cutText(extract, Math.ceil(room * 0.5), '')
  return `${head}${note}${end(extract, room - head.length)}`
}

function end(text: string, length: number): string {
  return length <= 0 ? '' : text.slice(-length).replace(/^[\udc00-\udfff]/, '')
}
