import { Reject } from '../../../handler/index.ts'
import type { Download } from './http-context.ts'
import { type Answer, bodyPieces, firstOf } from './send.ts'
import { shownUrl } from './shown.ts'
import { type DownloadStart, startDownload } from './start-download.ts'

export interface Downloaded {
  readonly answer: Answer
  readonly artifact: string
  readonly bytes: number
  readonly sha256: string
  /** Null: it was loaded from the start. */
  readonly resumedAt: number | null
}

const saveEveryMs = 1000
/** A server that sends less within the idle limit is given up. */
const leastBytes = 1024
/** Of an artifact; a longer one is none that anybody knows. */
const longestMediaType = 200

/** A file that was loaded in parts and is not what it should be: the next attempt loads it whole. */
class WrongParts extends Error {
  override readonly name = 'WrongParts'
}

/**
 * Loads a body into a file that becomes an artifact. What an earlier attempt has loaded is continued when a strong validator proves
 * that the rest belongs to it, and loaded anew otherwise.
 * @throws Reject when it is larger than it may be or has another hash; Error when it was cut: the next attempt continues it
 */
export async function download(given: Download): Promise<Downloaded> {
  const { context, target } = given
  const start = await startDownload(given)
  const { answer, file, earlier } = start
  try {
    await load(given, start)
    checkHash(given, start)
    await file.close()
  } catch (error) {
    if (error instanceof Reject || error instanceof WrongParts) await file.remove()
    else await file.close()
    throw error
  }
  const stored = await context.artifact(target.name, { file: file.path }, mediaType(answer))
  const { name, bytes, sha256 } = stored
  return { answer, artifact: name, bytes, sha256, resumedAt: earlier?.bytes ?? null }
}

async function load(given: Download, start: DownloadStart): Promise<void> {
  const { context, target, limits, maxBytes, request } = given
  const { answer, file, earlier, total, validators, hash } = start
  const save = async () => {
    if (request.method !== 'GET') return
    await file.sync()
    context.checkpoint({ file: file.path, url: target.url.href, ...validators, bytes: file.bytes, total })
  }
  if ((total ?? 0) > maxBytes) throw tooLarge(given, `has ${total} bytes`)
  let savedAt = performance.now()
  context.progress(file.bytes, total, target.name, earlier === null ? 'downloading' : 'resuming')
  try {
    for await (const piece of bodyPieces(answer, limits, leastBytes)) {
      if (file.bytes + piece.length > maxBytes) throw tooLarge(given, 'does not end')
      await file.append(piece)
      hash?.update(piece)
      context.progress(file.bytes, total, target.name, 'downloading')
      if (performance.now() - savedAt < saveEveryMs) continue
      await save()
      savedAt = performance.now()
    }
    if (total !== null && file.bytes !== total)
      throw new Error(`${shownUrl(answer.url)} ended after ${file.bytes} of ${total} bytes`)
  } catch (error) {
    // What went wrong matters more than that this attempt's last second is loaded again.
    if (!(error instanceof Reject)) await save().catch(() => undefined)
    throw error
  }
}

function tooLarge({ target, maxBytes }: Download, what: string): Reject {
  return new Reject(`${shownUrl(target.url)} ${what}, more than the ${maxBytes} bytes of max_bytes`)
}

function checkHash({ target }: Download, { answer, hash, earlier }: DownloadStart): void {
  const found = hash?.digest('hex')
  if (found === undefined || found === target.sha256) return
  const message = `${shownUrl(answer.url)} has the sha256 ${found}, not ${target.sha256}; nothing of it is kept`
  throw earlier === null ? new Reject(message) : new WrongParts(`${message}, and the next attempt loads it whole`)
}

function mediaType({ headers }: Answer): string | undefined {
  const found = /^[\w.+-]+\/[\w.+-]+/.exec(firstOf(headers['content-type']) ?? '')?.[0].toLowerCase()
  return found !== undefined && found.length > longestMediaType ? undefined : found
}
