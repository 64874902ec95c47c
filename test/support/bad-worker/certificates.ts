import { generate } from 'selfsigned'

export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** @returns a self-signed certificate and its key, PEM */
export async function makeCertificate(options: {
  readonly host: 'loopback' | 'elsewhere'
  readonly expired?: boolean
}): Promise<Certificate> {
  const altNames =
    options.host === 'loopback' ? [{ type: 7 as const, ip: '127.0.0.1' }] : [{ type: 2 as const, value: 'gpu.example' }]
  const day = 24 * 3_600_000
  const now = Date.now()
  const made = await generate([{ name: 'commonName', value: options.host }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - 3 * day),
    notAfterDate: new Date(options.expired === true ? now - day : now + day),
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames },
    ],
  })
  return { key: made.private, cert: made.cert }
}
