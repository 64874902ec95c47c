const longestName = 200
const longestMediaType = 200
const largeResult = 'result.json'

/** @returns whether a file of a job may not have this name, since a result that is too large becomes one of that name */
export function isReservedName(name: string): boolean {
  // Some file systems tell no upper from lower case.
  return name.toLowerCase() === largeResult
}

/** @returns why a file of a job cannot have this name, or null */
export function artifactNameProblem(name: unknown): string | null {
  if (typeof name !== 'string' || name === '') return 'the name of an artifact must be a text such as "report.csv"'
  const shown = JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)
  if (Buffer.byteLength(name) > longestName) return `the artifact name ${shown} is longer than ${longestName} bytes`
  if (name === '.' || name === '..' || /[/\\:]/.test(name))
    return `the artifact name ${shown} is no plain file name: it may hold no "/", "\\" or ":"`
  if (/[\p{Cc}\p{Cs}]/u.test(name)) return `the artifact name ${shown} holds control characters`
  return null
}

/** @returns why this cannot be the media type of an artifact, or null */
export function mediaTypeProblem(mediaType: unknown): string | null {
  if (typeof mediaType !== 'string' || mediaType === '')
    return 'the media type of an artifact must be a text such as "text/csv"'
  if (mediaType.length > longestMediaType)
    return `the media type of an artifact is longer than ${longestMediaType} characters`
  if (/[\p{Cc}\p{Cs}]/u.test(mediaType)) return 'the media type of an artifact holds control characters'
  return null
}

const mediaTypes: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  gif: 'image/gif',
  htm: 'text/html',
  html: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  jsonl: 'application/jsonl',
  log: 'text/plain',
  md: 'text/markdown',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  webp: 'image/webp',
  xml: 'application/xml',
  zip: 'application/zip',
}

/** @returns the media type that a file name tells; application/octet-stream when it tells none */
export function mediaTypeOf(name: string): string {
  const ending = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  return mediaTypes[ending] ?? 'application/octet-stream'
}
