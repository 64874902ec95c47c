import { z } from '../../../handler/index.ts'

const mebibyte = 1024 ** 2
/** Of an answer that becomes the result: larger ones are for downloads. */
export const largestBody = 32 * mebibyte
export const defaultBodyBytes = mebibyte
export const defaultDownloadBytes = 16 * 1024 * mebibyte

const headerText = z
  .string()
  .max(16_384)
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'holds a character that no header may hold')
const prefix = headerText.optional().describe('Text before it, such as "Bearer "')

const headerValue = z
  .union([
    headerText,
    z.strictObject({
      env: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of a variable')
        .describe("A variable of the submitting client's environment"),
      prefix,
    }),
    z.strictObject({
      file: z
        .string()
        .max(4096)
        .regex(/^([A-Za-z]:)?[\\/]/, 'is not an absolute path')
        .describe('Absolute path of a file with one line of text, such as a token'),
      prefix,
    }),
  ])
  .describe('Text; or {"file":"/…"} or {"env":"NAME"}, so that the value is never stored with the job')

/** Made here, or of no use to a single request. */
const ownHeaders = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
const rangeHeaders = new Set(['range', 'if-range'])

const sha256 = z.string().regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex digits')
const fileName = z.string().min(1).max(200)

export const httpMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

export const httpParams = z
  .strictObject({
    url: z
      .string()
      .min(1)
      .max(16_384)
      .optional()
      .describe(
        'http(s) URL. May hold placeholders such as {{unit}} or {{unit.id}}: at the beginning as it is, elsewhere percent-encoded. Left out: the unit is the URL, or has it in its field url',
      ),
    method: z.enum(httpMethods).default('GET').describe('GET, HEAD, PUT, DELETE and so on'),
    headers: z
      .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/, 'is not the name of a header'), headerValue)
      .default({})
      .describe(
        'Sent to the origin of the URL only; a redirect to another one gets none of them but Accept and User-Agent',
      ),
    body: z.string().max(mebibyte).optional().describe('Text to send'),
    json: z.json().optional().describe('JSON to send, instead of body'),
    read: z
      .enum(['auto', 'json', 'text', 'none'])
      .default('auto')
      .describe('How the body of the answer becomes the result; "auto" goes by its Content-Type; "none" leaves it out'),
    download: z
      .union([
        z.boolean(),
        z.strictObject({ name: fileName.optional().describe('Default: name of the unit, else end of the URL') }),
      ])
      .default(false)
      .describe('Keep the body as a file (artifact) of the job instead; continued where it was cut'),
    max_bytes: z
      .int()
      .min(1)
      .optional()
      .describe('Largest body, decompressed; default 1 MiB (at most 32 MiB), of a download 16 GiB'),
    sha256: sha256.optional().describe('What the content must hash to; else the attempt fails and nothing is kept'),
    timeout_s: z
      .number()
      .positive()
      .max(604_800)
      .optional()
      .describe('Of one request with its redirects; default 60, of a download none'),
    idle_s: z
      .number()
      .positive()
      .max(3600)
      .default(30)
      .describe('Longest wait for the first byte, and for more; a download that brings less than 1 KiB in it is cut'),
    redirects: z.int().min(0).max(20).default(5).describe('Most redirects that are followed'),
    expect_status: z
      .array(z.union([z.int().min(200).max(599), z.enum(['2xx', '3xx', '4xx', '5xx'])]))
      .min(1)
      .default(['2xx'])
      .describe('Statuses that complete the unit, such as [200, 404] or ["2xx"]'),
    response_headers: z
      .array(z.string().min(1).max(200))
      .max(100)
      .default(['content-type', 'content-length', 'etag', 'last-modified', 'location'])
      .describe('Headers of the answer that the result holds'),
  })
  .superRefine((params, issue) => {
    const refuse = (path: string, message: string) => issue.addIssue({ code: 'custom', path: [path], message })
    const sends = params.body !== undefined || params.json !== undefined
    if (params.body !== undefined && params.json !== undefined) refuse('json', 'cannot be given beside body')
    if (sends && (params.method === 'GET' || params.method === 'HEAD'))
      refuse('method', `must be one that sends a body, such as "POST", not "${params.method}"`)
    if (params.download === false && (params.max_bytes ?? 0) > largestBody)
      refuse('max_bytes', `is at most ${largestBody} for a body in the result; use "download": true`)
    if (params.download !== false && params.method === 'HEAD') refuse('download', 'is not possible with method "HEAD"')
    for (const name of Object.keys(params.headers)) {
      const lower = name.toLowerCase()
      if (ownHeaders.has(lower) || (params.download !== false && rangeHeaders.has(lower)))
        issue.addIssue({ code: 'custom', path: ['headers', name], message: 'is set by nightkiln itself' })
    }
  })
export type HttpParams = z.output<typeof httpParams>
export type HeaderValue = z.output<typeof headerValue>

/** Other fields, such as further columns of a table, are left alone; so are empty ones. */
export const httpUnit = z
  .union([
    z.string().describe('The URL, or what {{unit}} in params.url stands for'),
    z.number().describe('What {{unit}} in params.url stands for'),
    z
      .object({
        url: z.string().nullish().describe('The URL, unless params.url is given'),
        name: z.string().nullish().describe('Name of the downloaded file'),
        sha256: z
          .union([sha256, z.literal('')])
          .nullish()
          .describe('What the content must hash to, 64 hex digits'),
      })
      .catchall(z.json()),
  ])
  .optional()
export type HttpUnit = z.output<typeof httpUnit>

export const httpResult = z.strictObject({
  status: z.int(),
  url: z.string().describe('Where the answer came from, after redirects'),
  headers: z.record(z.string(), z.string()),
  body: z.json().optional().describe('JSON or text; left out for a download'),
  body_left_out: z.string().optional().describe('Why there is no body'),
  bytes: z.int().optional().describe('Of the content, decompressed; left out when it was not read'),
  sha256: z.string().optional(),
  artifact: z.string().optional().describe('Name of the downloaded file; job_result reads it'),
  resumed_at: z.int().optional().describe('So many bytes of the download were there from earlier attempts'),
})
export type HttpResult = z.output<typeof httpResult>

/** A download that was cut. */
export const partialDownload = z.strictObject({
  file: z.string(),
  url: z.string(),
  /** Strong validators only: what proves that the rest belongs to what is there. */
  etag: z.string().nullable(),
  last_modified: z.string().nullable(),
  /** In the file, and known to be on the disk. */
  bytes: z.int().min(0),
  total: z.int().nullable(),
})
export type PartialDownload = z.output<typeof partialDownload>
