import { type HandlerContext, z } from '../../../handler/index.ts'

export const algorithms = ['sha256', 'sha1', 'md5', 'sha512'] as const
export type Algorithm = (typeof algorithms)[number]

const absolutePath = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^([A-Za-z]:)?[\\/][^\0]*$/, 'is not an absolute path')

/** Matching takes time to the power of these. */
const mostWildcards = 4
const mostGlobstars = 3

const glob = z
  .string()
  .min(1)
  .max(500)
  .superRefine((pattern, issue) => {
    const parts = pattern.split('/')
    const refuse = (message: string) => issue.addIssue({ code: 'custom', message })
    if (pattern.startsWith('/') || parts.includes('..') || parts.includes('.'))
      refuse('must be a pattern below root, such as "**/*.jpg"')
    if (pattern.startsWith('!')) refuse('begins with "!"; say with exclude what is to be left out')
    if (
      pattern.split('**').length - 1 > mostGlobstars ||
      parts.some((part) => part.split('*').length - 1 > mostWildcards)
    )
      refuse('has more wildcards than can be matched in time')
  })
const globs = z.array(glob).max(100).default([])

export const treeParams = z.strictObject({
  root: absolutePath.describe('Absolute path of the directory'),
  algorithm: z.enum(algorithms).default('sha256').describe('Of the checksums'),
  include: globs.describe('Only files that match one of these, below root, such as "**/*.jpg"; default all'),
  exclude: globs.describe('Not what matches one of these; a directory that matches with everything below it'),
  follow_links: z.boolean().default(false).describe('True: go into symbolic links, also those that lead out of root'),
  manifest: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^/\\:\p{Cc}\p{Cs}]*[^/\\:\p{Cc}\p{Cs}.][^/\\:\p{Cc}\p{Cs}]*$/u, 'is no plain file name')
    .optional()
    .describe('Name of the list that is kept with the job; default such as SHA256SUMS'),
  expect: absolutePath.optional().describe('Absolute path of an earlier list to compare with'),
})
export type TreeParams = z.output<typeof treeParams>

const unreadable = z.strictObject({ path: z.string(), problem: z.string() })

const difference = z.strictObject({
  count: z.int(),
  names: z.array(z.string()).describe('The first 100'),
})

export const treeResult = z.strictObject({
  files: z.int().describe('In the list'),
  bytes: z.int().describe('Of their content'),
  manifest: z.string().describe('Name of the list; job_result reads it'),
  digest: z.string().describe('sha256 of the list itself: the same for the same files'),
  unreadable_count: z.int(),
  unreadable: z.array(unreadable).describe('The first 100 files and directories that could not be read'),
  links_skipped: z.int().describe('Symbolic links that were not followed'),
  others_skipped: z.int().describe('Pipes, sockets and devices'),
  comparison: z
    .strictObject({
      same: z.int(),
      changed: difference,
      added: difference,
      removed: difference.describe('In the earlier list only: gone, left out now, or unreadable'),
    })
    .optional(),
})
export type TreeResult = z.output<typeof treeResult>

export const treeCheckpoint = z.strictObject({
  /** The list so far. */
  file: z.string(),
  /** Its bytes that are known to be on the disk. */
  length: z.int().min(0),
  /** The last path that was finished, relative to root. */
  last: z.string(),
  files: z.int(),
  bytes: z.int(),
  total_files: z.int(),
  total_bytes: z.int(),
  unreadable_count: z.int(),
  unreadable: z.array(unreadable),
  links_skipped: z.int(),
  others_skipped: z.int(),
})
export type TreeCheckpoint = z.output<typeof treeCheckpoint>

export type TreeContext = HandlerContext<TreeParams, unknown, TreeCheckpoint>
