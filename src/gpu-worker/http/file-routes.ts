import { Readable } from 'node:stream'
import { Refused } from '../refused.ts'
import { type ApiOptions, hashOf, type WorkerApi } from './api-parts.ts'
import { declaredLength, pieces } from './read-request.ts'

/** Files by the hash of their content, for what is too large to be inline. */
export function fileRoutes(api: WorkerApi, { files, pace }: Pick<ApiOptions, 'files' | 'pace'>): void {
  // HEAD comes here, too: then the body is left out.
  api.get('/files/:sha256', (context) => {
    const hash = hashOf(context)
    const bytes = files.sizeOf(hash)
    if (bytes === null) throw new Refused('not_found', `the file ${hash} is not here`)
    context.header('content-type', 'application/octet-stream')
    context.header('content-length', String(bytes))
    if (context.req.method === 'HEAD') return context.body(null, 200)
    return context.body(Readable.toWeb(files.stream(hash)) as ReadableStream, 200)
  })

  api.put('/files/:sha256', async (context) => {
    const hash = hashOf(context)
    const { incoming } = context.env
    if (files.sizeOf(hash) !== null) {
      incoming.resume()
      return context.body(null, 200)
    }
    const limits = { pieceMs: pace.pieceMs, allMs: pace.fileMs }
    await files.receive(hash, pieces(incoming, limits), declaredLength(incoming))
    return context.body(null, 201)
  })
}
