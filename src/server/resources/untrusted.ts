/** On contents that programs produced: whoever shows them to a model says so. */
export const untrusted = { 'nightkiln/untrusted': true } as const

const hourMs = 3_600_000

/** What never changes any more, such as the log of a job that has ended, may be kept by the client that read it. */
export const unchanging = { ttlMs: hourMs, cacheScope: 'private' } as const
