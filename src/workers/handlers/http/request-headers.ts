import { closeSync, openSync, readSync } from 'node:fs'
import { Reject } from '../../../handler/index.ts'
import type { HeaderValue, HttpParams } from './http-params.ts'

/** Names in lower case. */
export type Headers = Readonly<Record<string, string>>

const longestSecret = 65_536
const possible = /^[\t\x20-\x7e\x80-\xff]*$/

/** What says nothing about who asks. */
const harmlessAnywhere = ['accept', 'accept-language', 'content-type', 'user-agent']

/**
 * @param unitId becomes the Idempotency-Key of what is not idempotent, so that a server that knows it does a repeat only once
 * @returns what is sent to the origin of the URL, values of files and variables filled in
 * @throws Reject when one cannot be had
 */
export function requestHeaders(
  params: Pick<HttpParams, 'headers' | 'method' | 'body' | 'json'>,
  environment: Readonly<Record<string, string>>,
  unitId: string,
): Headers {
  const headers: Record<string, string> = { 'user-agent': 'nightkiln', accept: '*/*' }
  if (params.json !== undefined) headers['content-type'] = 'application/json'
  else if (params.body !== undefined) headers['content-type'] = 'text/plain;charset=UTF-8'
  if (params.method === 'POST' || params.method === 'PATCH') headers['idempotency-key'] = unitId
  for (const [name, value] of Object.entries(params.headers)) {
    headers[name.toLowerCase()] = headerText(name, value, environment)
  }
  return headers
}

/** @returns what may be told to another origin than the one they were given for */
export function harmlessHeaders(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => harmlessAnywhere.includes(name) || isOfDownload(name)),
  )
}

function isOfDownload(name: string): boolean {
  return name === 'accept-encoding' || name === 'range' || name === 'if-range'
}

function headerText(name: string, value: HeaderValue, environment: Readonly<Record<string, string>>): string {
  if (typeof value === 'string') return value
  const text = 'file' in value ? fileText(name, value.file) : variable(name, value.env, environment)
  if (possible.test(text)) return `${value.prefix ?? ''}${text}`
  throw new Reject(`${'file' in value ? value.file : value.env} holds a character that the header ${name} may not hold`)
}

function variable(name: string, variableName: string, environment: Readonly<Record<string, string>>): string {
  const value = environment[variableName]
  if (value !== undefined && value !== '') return value
  throw new Reject(
    `the variable ${variableName} for the header ${name} is not in the environment of the job; names that look like secrets never are: put the value into a file that only you can read and give {"file":"/absolute/path"}`,
  )
}

function fileText(name: string, file: string): string {
  let text: string
  try {
    text = readSmall(file).trim()
  } catch (error) {
    throw new Reject(`the file for the header ${name} cannot be read: ${(error as Error).message}`)
  }
  if (text === '') throw new Reject(`the file ${file} for the header ${name} is empty`)
  return text
}

function readSmall(file: string): string {
  const handle = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(longestSecret)
    return buffer.toString('utf8', 0, readSync(handle, buffer, 0, longestSecret, 0))
  } finally {
    closeSync(handle)
  }
}
