const context = 3
const longestLine = 300

/**
 * @returns the changed lines with - and +, and a few around them; exact for one changed place. What belongs to others is
 * shown without its values: neighbours in such files are often keys and tokens.
 */
export function textDiff(before: string, after: string): string[] {
  const old = lines(before)
  const fresh = lines(after)
  let start = 0
  while (start < old.length && start < fresh.length && sameLine(old[start], fresh[start])) start += 1
  let end = 0
  while (end < old.length - start && end < fresh.length - start && sameLine(old.at(-1 - end), fresh.at(-1 - end)))
    end += 1
  return [
    ...old.slice(Math.max(0, start - context), start).map((line) => `  ${withoutValue(line)}`),
    ...old.slice(start, old.length - end).map((line) => `- ${notTooLong(line)}`),
    ...fresh.slice(start, fresh.length - end).map((line) => `+ ${notTooLong(line)}`),
    ...old.slice(old.length - end, old.length - end + context).map((line) => `  ${withoutValue(line)}`),
  ]
}

/** A comma that a neighbour got or lost is no change to it. */
function sameLine(old: string | undefined, fresh: string | undefined): boolean {
  return old?.replace(/,\s*$/, '') === fresh?.replace(/,\s*$/, '')
}

function withoutValue(line: string): string {
  return notTooLong(line).replace(/("(?:[^"\\]|\\.)*"\s*:\s*)?"(?:[^"\\]|\\.)*"(,?)\s*$/, '$1"…"$2')
}

/** What gives access is not for the screen. */
export function withoutTokens(text: string): string {
  return text.replace(/\bnk_[A-Za-z0-9_-]{20,}/g, 'nk_…')
}

/** A file without line feeds is one line, and all of it is not to be shown. */
function notTooLong(given: string): string {
  const line = withoutTokens(given)
  return line.length <= longestLine || /^\s*"PATH": /.test(line) ? line : `(a line of ${line.length} characters)`
}

function lines(text: string): string[] {
  const split = text.split(/\r?\n/)
  if (split.at(-1) === '') split.pop()
  return split
}
