import { timestamp } from '../../domain/wire/shared.ts'
import { badArgument } from './prompt-text.ts'

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const

const lengthPattern = /^(\d{1,5})\s*([mhdw])$/i

/** @returns what an argument that `sinceArgument` takes means: "in the last 7d", "since 2031-05-04" */
export function spanText(text: string): string {
  return `${lengthPattern.test(text) ? 'in the last' : 'since'} ${text}`
}

/**
 * @param text a length of time before now such as `12h`, or a date or time
 * @param now ms since 1970
 * @returns ms since 1970
 * @throws ProtocolError for anything else
 */
export function sinceArgument(text: string, now: number): number {
  const [, number, unit] = lengthPattern.exec(text) ?? []
  if (number !== undefined && unit !== undefined) {
    return now - Number(number) * unitMs[unit.toLowerCase() as keyof typeof unitMs]
  }
  // A date alone is its beginning here, where the person lives.
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00`) : Number.NaN
  const time = timestamp.safeParse(text).success ? Date.parse(text) : date
  if (!Number.isNaN(time)) return time
  throw badArgument(
    `since is ${JSON.stringify(text)}; give a length such as 90m, 12h, 3d or 2w, a date such as 2031-05-04, or a time with a zone such as 2031-05-04T22:00:00Z.`,
  )
}
