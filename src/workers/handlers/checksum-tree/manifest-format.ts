/** One line of a list of checksums, as sha256sum writes it. */
export interface ManifestEntry {
  /** Hex, lower case. */
  readonly digest: string
  readonly path: string
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r' }
const unescapes: Readonly<Record<string, string>> = { '\\\\': '\\', '\\n': '\n', '\\r': '\r' }

/** @returns the line with its end; a name with a backslash or a line end is escaped, and the line begins with a backslash */
export function manifestLine({ digest, path }: ManifestEntry): string {
  const escaped = path.replace(/[\\\n\r]/g, (character) => escapes[character] ?? character)
  return `${escaped === path ? '' : '\\'}${digest}  ${escaped}\n`
}

/** @returns null when it is no such line. "./" before the path is left out: lists that `find` made have it. */
export function parseManifestLine(line: string): ManifestEntry | null {
  const found = /^(\\?)([0-9a-fA-F]{32,128}) [ *](.+)$/s.exec(line)
  if (found === null) return null
  const [, mark, digest = '', written = ''] = found
  const path = mark === '\\' ? written.replace(/\\[\\nr]/g, (pair) => unescapes[pair] ?? pair) : written
  return { digest: digest.toLowerCase(), path: path.replace(/^(\.\/)+/, '') }
}
