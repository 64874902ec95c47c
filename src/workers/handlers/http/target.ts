import { QueueError } from '../../../domain/errors.ts'
import type { Json } from '../../../domain/job.ts'
import { compileTemplate, placeholderValue, type TemplateScope } from '../../../domain/template.ts'
import { isReservedName } from '../../../handler/artifact-name.ts'
import { Reject } from '../../../handler/index.ts'
import type { HttpParams, HttpUnit } from './http-params.ts'
import { shownText } from './shown.ts'

/** What one unit asks for. */
export interface HttpTarget {
  readonly url: URL
  /** Name of the file of a download. */
  readonly name: string
  /** Hex, lower case; null: not known. */
  readonly sha256: string | null
}

interface Given {
  readonly params: HttpParams
  readonly unit: HttpUnit
  readonly position: number
  readonly dependencies: Readonly<Record<string, Json>>
}

/** @throws Reject when params and unit give no http(s) URL */
export function targetOf(given: Given): HttpTarget {
  const { params, unit } = given
  const fields = typeof unit === 'object' ? unit : {}
  const url = parsedUrl(urlText(given))
  const chosen = fields.name || (typeof params.download === 'object' ? params.download.name : undefined)
  const sha256 = fields.sha256 || params.sha256
  return { url, name: fileName(chosen, url, params.download !== false), sha256: sha256?.toLowerCase() ?? null }
}

function urlText({ params, unit, position, dependencies }: Given): string {
  const own = typeof unit === 'object' ? unit.url : unit
  if (params.url === undefined) {
    if (typeof own === 'string' && own !== '') return own.trim()
    throw new Reject(
      unit === undefined
        ? 'no URL: give params.url, or units that are URLs or have a field url'
        : `the unit ${shownText(JSON.stringify(unit))} is no URL and has none in a field url; give params.url with a placeholder such as {{unit}}`,
    )
  }
  const text = filledIn(params.url, {
    unit,
    index: position,
    job: { id: '' },
    attempt: 0,
    dependencies: new Map(Object.entries(dependencies)),
  })
  if (unit !== undefined && !params.url.includes('{{'))
    throw new Reject(
      `params.url is ${shownText(params.url)} for every unit: use a placeholder such as {{unit}} in it, or leave it out when the units are URLs`,
    )
  return text
}

/** A placeholder at the beginning is an address; anywhere else it is a part that must stay one part. */
function filledIn(text: string, scope: TemplateScope): string {
  try {
    const rules = { name: 'params.url', roots: ['unit', 'index', 'dependencies'] as const }
    const template = compileTemplate(text, { ...rules, aliases: [...scope.dependencies.keys()] })
    return template.parts
      .map((part, position) => {
        if (typeof part === 'string') return part
        const value = placeholderValue(template, part, scope)
        const valueText = typeof value === 'string' ? value : JSON.stringify(value)
        return position === 0 ? valueText : encodedPart(valueText)
      })
      .join('')
  } catch (error) {
    if (error instanceof QueueError) throw new Reject(`${error.message}. ${error.remedy}`)
    throw error
  }
}

function encodedPart(value: string): string {
  // A URL drops such a part, and the one before it.
  if (value === '.' || value === '..') throw new Reject(`"${value}" cannot be a part of params.url`)
  return encodeURIComponent(value.replace(/\p{Surrogate}/gu, '\ufffd'))
}

function parsedUrl(text: string): URL {
  if (!URL.canParse(text) || !/^https?:\/\//i.test(text))
    throw new Reject(`${shownText(text)} is not an http(s) URL such as https://example.org/file.zip`)
  const url = new URL(text)
  url.hash = ''
  if (url.username !== '' || url.password !== '')
    throw new Reject(
      `the URL of ${url.host} holds a user name or password, which would be stored; use "headers": {"authorization": {"file": "/…"}}`,
    )
  return url
}

const longestName = 150

/** @throws Reject when the file of a download may not have the chosen name */
function fileName(chosen: string | undefined, url: URL, isKept: boolean): string {
  const name = plainName(chosen || lastPart(url))
  if (!isReservedName(name)) return name
  if (chosen && isKept) throw new Reject(`the name "${name}" is kept for results that are too large; give another one`)
  return `download-${name}`
}

/** @returns a name that is one on every system, whatever a URL or a table says */
function plainName(text: string): string {
  const name = text
    .replace(/[\p{Cc}\p{Cs}/\\:*?"<>|]+/gu, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '')
    .slice(0, longestName)
  // UTF-8 may take several bytes a character.
  const cut = Buffer.from(name)
    .subarray(0, longestName)
    .toString()
    .replace(/\ufffd+$/, '')
  return cut === '' ? 'download' : cut
}

function lastPart({ pathname }: URL): string {
  const part = pathname.split('/').filter(Boolean).at(-1) ?? ''
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
