import { createHash, type Hash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Download } from './http-context.ts'
import type { PartialDownload } from './http-params.ts'
import { isExpected, refuseStatus } from './judge-status.ts'
import { PartialFile } from './partial-file.ts'
import { rangeHeaders, rangeOf, strongValidators, type Validators, whyNotTheRest } from './range.ts'
import { discard } from './request-limits.ts'
import { type Answer, firstOf, send } from './send.ts'
import { shownUrl } from './shown.ts'

export interface DownloadStart {
  readonly answer: Answer
  /** What the body is appended to. */
  readonly file: PartialFile
  /** What was there before; null: the body is the whole. */
  readonly earlier: PartialDownload | null
  readonly validators: Validators
  /** Of the whole file; null: the server does not say. */
  readonly total: number | null
  /** Of what is in the file; null: nobody asks for it. */
  readonly hash: Hash | null
}

/**
 * Asks for the rest of what an earlier attempt has loaded, else for the whole.
 * @throws what an unexpected status means; what is loaded stays for the next attempt
 */
export async function startDownload(given: Download): Promise<DownloadStart> {
  const { context, request, limits } = given
  const earlier = context.lastCheckpoint
  const rest = earlier === null ? null : await continued(given, earlier)
  if (rest !== null && 'file' in rest) return rest
  const answer = rest?.whole ?? (await send(request, limits, context.log))
  await demandExpected(given, answer)
  if (answer.status === 206) {
    discard(answer.body)
    throw new Error(`${shownUrl(answer.url)} sent a part of the file that nobody asked for`)
  }
  const encoding = firstOf(answer.headers['content-encoding'])
  if (encoding !== undefined && encoding !== 'identity')
    context.log.warn(`the server compressed the file (${encoding}) without being asked; it is kept as it came`)
  return {
    answer,
    file: await PartialFile.create(context.temporaryFile('download.part')),
    earlier: null,
    validators: strongValidators(answer),
    total: lengthOf(answer),
    hash: newHash(given),
  }
}

/** @returns the rest; or null, or an answer with the whole: then what was there is gone */
async function continued(
  given: Download,
  earlier: PartialDownload,
): Promise<DownloadStart | { readonly whole: Answer } | null> {
  const { context, request, limits, target } = given
  const range = rangeHeaders(earlier)
  const startOver = async (why: string): Promise<null> => {
    context.log.info(`starts over after ${earlier.bytes} bytes: ${why}`)
    await rm(earlier.file, { force: true })
    return null
  }
  if (earlier.url !== target.url.href) return startOver('it was another URL')
  if (range === null)
    return startOver('the server gave nothing (no strong ETag) that proves that the rest belongs to it')
  const file = await PartialFile.reopen(earlier)
  if (file === null) return startOver('its file is gone')
  let isKept = false
  try {
    const hash = newHash(given)
    if (hash !== null) await file.readAll((piece) => hash.update(piece), context)
    const answer = await send({ ...request, headers: { ...request.headers, ...range } }, limits, context.log)
    if (![200, 206, 416].includes(answer.status)) await demandExpected(given, answer)
    const whyNot = whyNotTheRest(answer, earlier)
    if (whyNot === null) {
      isKept = true
      context.log.info(`continues after ${earlier.bytes} bytes`)
      const { etag, last_modified } = earlier
      return {
        answer,
        file,
        earlier,
        validators: { etag, last_modified },
        total: rangeOf(answer)?.total ?? earlier.total,
        hash,
      }
    }
    await startOver(whyNot)
    if (answer.status !== 206 && answer.status !== 416) return { whole: answer }
    discard(answer.body)
    return null
  } finally {
    if (!isKept) await file.close()
  }
}

function newHash({ target }: Download): Hash | null {
  return target.sha256 === null ? null : createHash('sha256')
}

async function demandExpected({ limits, context }: Download, answer: Answer): Promise<void> {
  if (!isExpected(answer.status, context.params.expect_status)) await refuseStatus(answer, limits, Date.now())
}

function lengthOf({ headers }: Answer): number | null {
  const text = firstOf(headers['content-length']) ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : null
}
