export type HandlerLanguage = 'ts' | 'js'

/** @returns the source of a small handler that works: it counts words in steps and goes on where it was */
export function handlerTemplate(type: string): string {
  return `// The job type "${type}". Change what you like; only the shape counts.
//
//   nightkiln types ${type}                                     what others see of it, or what is wrong with it
//   nightkiln submit --type ${type} --param file=/path/of/a.txt --wait
import { open } from 'node:fs/promises'
import { defineHandler, Reject, z } from 'nightkiln/handler'

export default defineHandler({
  type: '${type}',
  title: '${titleOf(type)}',
  description: 'Counts the words of a text file. When it is interrupted, it goes on where it was.',
  // What is submitted. Texts in describe() are read by people and models.
  params: z.object({
    file: z.string().startsWith('/').describe('Absolute path of a text file'),
    pause_ms: z.int().min(0).max(10_000).default(0).describe('Pause after each MiB, to watch it at work'),
  }),
  result: z.object({ words: z.int(), bytes: z.int() }),
  // What checkpoint() saves and lastCheckpoint gives back to the next attempt.
  checkpoint: z.object({ position: z.int(), words: z.int(), inWord: z.boolean() }),
  example: { params: { file: '/home/you/book.txt' } },
  retry: { maxAttempts: 3, initialMs: 1000 },

  async run({ params, lastCheckpoint, cancellation, progress, checkpoint, log }) {
    const file = await open(params.file).catch((error) => {
      // A file that is not there will not be there in the next attempt either; any other error is tried again.
      throw error.code === 'ENOENT' ? new Reject(\`there is no file \${params.file}\`) : error
    })
    try {
      const { size } = await file.stat()
      let { position, words, inWord } = lastCheckpoint ?? { position: 0, words: 0, inWord: false }
      if (position > 0) log.info('going on where the last attempt was', { position })
      const piece = Buffer.alloc(1024 * 1024)
      while (position < size) {
        // Ends the attempt here once somebody cancels the job.
        cancellation.throwIfCancelled()
        const { bytesRead } = await file.read(piece, 0, piece.length, position)
        if (bytesRead === 0) break
        for (const byte of piece.subarray(0, bytesRead)) {
          const isSpace = byte <= 32
          if (!isSpace && !inWord) words += 1
          inWord = !isSpace
        }
        position += bytesRead
        progress(position, size, \`\${words} words\`)
        checkpoint({ position, words, inWord })
        await cancellation.wait(params.pause_ms)
      }
      return { words, bytes: position }
    } finally {
      await file.close()
    }
  },
})
`
}

/** @returns a test of it that runs without Nightkiln */
export function testTemplate(type: string, language: HandlerLanguage): string {
  return `import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runHandler } from 'nightkiln/handler/testing'
import handler from './${type}.${language}'

let folder = ''
let file = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), '${type}-'))
  file = join(folder, 'book.txt')
  // 3 MiB: three pieces.
  await writeFile(file, 'one two\\n'.repeat(3 * 128 * 1024))
})

after(() => rm(folder, { recursive: true }))

test('counts words', async () => {
  const run = await runHandler(handler, { params: { file } })
  assert.deepEqual(run.result, { words: 786_432, bytes: 3_145_728 })
  assert.equal(run.progress.at(-1)?.current, 3_145_728)
})

test('goes on where it was cancelled', async () => {
  const stop = new AbortController()
  const first = await runHandler(handler, { params: { file }, signal: stop.signal, onCheckpoint: () => stop.abort() })
  assert.equal(first.outcome.kind, 'cancelled')
  const second = await runHandler(handler, { params: { file }, lastCheckpoint: first.checkpoints.at(-1), attempt: 2 })
  assert.equal(second.result?.words, 786_432)
  assert.equal(second.progress.length, 2)
})

test('rejects a file that is not there', async () => {
  const run = await runHandler(handler, { params: { file: join(folder, 'missing.txt') } })
  assert.equal(run.outcome.kind, 'rejected')
})
`
}

function titleOf(type: string): string {
  const words = type.replaceAll(/[_-]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Every file is a module. */
export const packageTemplate = `{
  "type": "module",
  "private": true
}
`

/** For the editor alone: handlers are never compiled by it. */
export const compilerTemplate = `{
  "compilerOptions": {
    "target": "es2023",
    "lib": ["es2023", "dom"],
    "module": "nodenext",
    "types": ["node"],
    "strict": true,
    "noEmit": true,
    "allowJs": true,
    "checkJs": true,
    "allowImportingTsExtensions": true,
    "isolatedModules": true,
    "skipLibCheck": true
  }
}
`
