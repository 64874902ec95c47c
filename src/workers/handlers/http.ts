import { defineHandler } from '../../handler/index.ts'
import { httpParams, httpResult, httpUnit, partialDownload } from './http/http-params.ts'

/** Requests a URL: the answer becomes the result, or a file of the job. */
const http = defineHandler({
  type: 'http',
  title: 'Request or download a URL',
  description:
    'Requests http(s) URLs and gives status, chosen headers and the body as JSON or text; with "download": true the body becomes a file of the job, continued where it was cut and checked against sha256. Units are URLs, or objects with url and optionally name and sha256; or params.url holds placeholders such as https://example.org/items/{{unit}}. Two units of a host at a time unless per_key says otherwise; 429 and 503 with Retry-After wait, other 4xx fail for good, 408, 425, 429, 5xx and broken connections are retried up to 5 attempts.',
  params: httpParams,
  unit: httpUnit,
  result: httpResult,
  checkpoint: partialDownload,
  example: {
    params: { download: true },
    units: [{ url: 'https://example.org/data.zip', name: 'data.zip' }, 'https://example.org/readme.txt'],
  },
  retry: { maxAttempts: 5, initialMs: 2000, maxMs: 300_000 },
  perKey: { key: '{{unit.host}}', concurrency: 2 },
  reusable: true,
  // The manager reads this definition too, and has no use for what it takes to run it.
  run: async (context) => (await import('./http/perform.ts')).performHttp(context),
})

export default http
