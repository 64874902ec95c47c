// The job type "word_index": copy this file into your handler directory (nightkiln doctor names it), and submit it.
import { open } from 'node:fs/promises'
import { defineHandler, Reject, z } from 'nightkiln/handler'

const pieceBytes = 256 * 1024
const saveEveryMs = 1000

export default defineHandler({
  type: 'word_index',
  title: 'Index the words of texts',
  description:
    'Counts every word of a text file and keeps the whole list, sorted, as index.tsv. Goes on where it was when it is interrupted; a file that is no text is refused.',
  params: z.strictObject({
    top: z.int().min(1).max(1000).default(3).describe('Words in the result; the artifact has all of them'),
    pause_ms: z.int().min(0).max(10_000).default(0).describe('Pause after each piece of 256 KiB'),
  }),
  unit: z.object({ path: z.string().describe('A text file; what the source "glob" gives') }),
  result: z.object({
    bytes: z.int(),
    distinct: z.int(),
    top: z.array(z.object({ word: z.string(), times: z.int() })),
  }),
  checkpoint: z.object({ position: z.int(), counts: z.record(z.string(), z.int()) }),
  example: { params: { top: 10 }, source: { kind: 'glob', pattern: '*.txt', root: '/home/you/texts' } },
  retry: { maxAttempts: 3, initialMs: 500 },
  timeouts: { idleMs: 60_000 },

  async run(context) {
    const { params, unit, lastCheckpoint, cancellation, progress, checkpoint, log, spawn, artifact } = context
    // Whatever is thrown is tried again, up to maxAttempts; a Reject is not: the next attempt would find the same.
    const file = await open(unit.path).catch((error) => {
      throw error.code === 'ENOENT' ? new Reject(`there is no file ${unit.path}`) : error
    })
    const counts = new Map(Object.entries(lastCheckpoint?.counts ?? {}))
    let position = lastCheckpoint?.position ?? 0
    if (position > 0) log.info('going on', { position })
    try {
      const { size } = await file.stat()
      const piece = Buffer.alloc(pieceBytes)
      let savedAt = Date.now()
      while (position < size) {
        cancellation.throwIfCancelled()
        const { bytesRead } = await file.read(piece, 0, pieceBytes, position)
        if (bytesRead === 0) break
        const read = piece.subarray(0, bytesRead)
        if (read.includes(0))
          throw new Reject(`${unit.path} is no text: it holds NUL at byte ${position + read.indexOf(0)}`)
        // Whole lines, so that no word is cut in two.
        const whole = position + bytesRead < size ? read.lastIndexOf(10) + 1 || bytesRead : bytesRead
        for (const word of read
          .toString('utf8', 0, whole)
          .toLowerCase()
          .match(/\p{L}+/gu) ?? [])
          counts.set(word, (counts.get(word) ?? 0) + 1)
        position += whole
        progress(position, size, `${counts.size} words`, 'reading')
        if (Date.now() - savedAt >= saveEveryMs) {
          checkpoint({ position, counts: Object.fromEntries(counts) })
          savedAt = Date.now()
        }
        await cancellation.wait(params.pause_ms)
      }
    } finally {
      await file.close()
    }

    progress(position, position, 'sorting', 'sorting')
    // The program ends with the attempt, whatever ends that. Its output is taken here, so it need not be in the log.
    const sorted = await spawn('sort', ['-k1,1nr', '-k2,2'], {
      stdin: [...counts].map(([word, times]) => `${times}\t${word}\n`).join(''),
      env: { LC_ALL: 'C' },
      maxOutputBytes: 64 * 1024 * 1024,
      onOutput: () => {},
    })
    if (sorted.exitCode !== 0) throw new Error(`sort ended with ${sorted.exitCode}: ${sorted.stderr}`)
    await artifact('index.tsv', sorted.stdout, 'text/tab-separated-values')

    const top = sorted.stdout.split('\n', params.top).map((line) => line.split('\t'))
    return {
      bytes: position,
      distinct: counts.size,
      top: top.flatMap(([times, word]) => (word === undefined ? [] : [{ word, times: Number(times) }])),
    }
  },
})
