import { join } from 'node:path'
import { harmlessText } from '../../domain/display-text.ts'
import { QueueError } from '../../domain/errors.ts'
import type { Job } from '../../domain/job.ts'
import type { ExportAnswer } from '../../domain/wire/history.ts'
import type { OperationCall } from '../../domain/wire/operations.ts'
import { makeDirectory } from '../../platform/make-directory.ts'
import { ExportFile } from './export-file.ts'
import { type ExportRow, fileEndings, headOf, lineOf } from './export-format.ts'
import { jobRow, unitRow } from './export-rows.ts'
import { storeFilter } from './job-filter.ts'
import type { ServiceContext } from './service-context.ts'

/** Rows in memory at once. */
const pageSize = 200
/** An export that takes longer stops here and says so: clients give up at 45 s. */
const longestMs = 35_000

/**
 * Writes jobs or their units to a new file, page by page off the manager's own thread, newest job first.
 * @throws QueueError invalid_input for ids and filter together or a file that cannot be made, job_not_found when none of the
 *   ids is known, storage_full
 */
export async function exportJobs(
  context: ServiceContext,
  request: OperationCall<'export_jobs'>,
): Promise<ExportAnswer> {
  const { clock } = context
  if (request.ids !== undefined && request.filter !== undefined) {
    throw new QueueError('invalid_input', 'give ids or filter, not both', {
      remedy: 'Leave both out to export all jobs.',
    })
  }
  if (request.ids !== undefined && context.store.readJobs(request.ids).length === 0) {
    throw new QueueError('job_not_found', `no job has the id ${request.ids.slice(0, 5).join(', ')}`)
  }
  const file = await ExportFile.create(request.file ?? defaultFile(context, request))
  const deadline = clock.monotonic() + longestMs
  let rows = 0
  let isCut = false
  try {
    for await (const row of request.what === 'jobs' ? jobRows(context, request) : unitRows(context, request)) {
      if (rows === 0) await file.write(headOf(request.format, Object.keys(row)))
      await file.write(lineOf(request.format, row))
      rows += 1
      isCut = rows % pageSize === 0 && clock.monotonic() > deadline
      if (isCut) break
    }
    await file.close()
  } catch (error) {
    await file.abandon()
    throw error
  }
  return {
    file: file.path,
    bytes: file.bytes,
    rows,
    untrusted_preview: harmlessText(file.preview),
    next: isCut
      ? `It took too long and stopped after ${rows} rows, newest first: export the rest with a filter, such as export_jobs {"filter":{"created_before":"${new Date(clock.now() - 30 * 86_400_000).toISOString()}"}}.`
      : 'Nothing: the file is written; tell the user where it is.',
  }
}

function defaultFile({ facts, clock }: ServiceContext, { what, format }: OperationCall<'export_jobs'>): string {
  const directory = join(facts.home, 'exports')
  makeDirectory(directory)
  const time = new Date(clock.now()).toISOString().replaceAll(':', '-')
  return join(directory, `${what}-${time}.${fileEndings[format]}`)
}

async function* jobRows(context: ServiceContext, request: OperationCall<'export_jobs'>): AsyncGenerator<ExportRow> {
  for await (const page of jobPages(context, request)) {
    const params = await context.reader.readParams(page.map((job) => job.id))
    for (const job of page) yield jobRow(job, params.get(job.id) ?? {})
  }
}

async function* unitRows(context: ServiceContext, request: OperationCall<'export_jobs'>): AsyncGenerator<ExportRow> {
  for await (const page of jobPages(context, request)) {
    for (const job of page) {
      let afterPosition = -1
      for (;;) {
        const records = await context.reader.readUnitRecords(job.id, { afterPosition, limit: pageSize })
        for (const record of records) yield unitRow(job, record)
        afterPosition = records.at(-1)?.unit.position ?? afterPosition
        if (records.length < pageSize) break
      }
    }
  }
}

async function* jobPages(
  { store, reader }: ServiceContext,
  request: OperationCall<'export_jobs'>,
): AsyncGenerator<readonly Job[]> {
  if (request.ids !== undefined) {
    yield store.readJobs([...new Set(request.ids)])
    return
  }
  const filter = storeFilter(request.filter ?? {})
  let beforeSeq: number | undefined
  for (;;) {
    const page = await reader.listJobs(filter, { limit: pageSize, ...(beforeSeq === undefined ? {} : { beforeSeq }) })
    yield page
    beforeSeq = page.at(-1)?.seq
    if (page.length < pageSize) return
  }
}
