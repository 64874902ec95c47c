import { stat } from 'node:fs/promises'

/** A submit must not wait for a directory on a dead network; in ms. */
const longestLookMs = 200
/** A burst of submits from one directory looks once; the disk of a network mount is not asked a thousand times. */
const rememberedMs = 1_000
const looks = new Map<string, Promise<string | null>>()

/** @returns the directory when it certainly does not exist now (or did not a second ago); null otherwise. Never throws. */
export function missingDirectory(path: string): Promise<string | null> {
  const known = looks.get(path)
  if (known !== undefined) return known
  const look = lookOnce(path)
  looks.set(path, look)
  setTimeout(() => looks.delete(path), rememberedMs).unref()
  return look
}

async function lookOnce(path: string): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined
  const looked = stat(path).then(
    () => null,
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' || error.code === 'ENOTDIR' ? path : null),
  )
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), longestLookMs)
  })
  const found = await Promise.race([looked, late])
  clearTimeout(timer)
  return found
}
