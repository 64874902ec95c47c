import { defineHandler } from '../../handler/index.ts'
import { treeCheckpoint, treeParams, treeResult } from './checksum-tree/tree-params.ts'

/** Hashes every file below a directory and keeps the list. */
const checksumTree = defineHandler({
  type: 'checksum_tree',
  title: 'Checksums of a directory tree',
  description:
    'Hashes every file below a directory and keeps the list as a file of the job, in the format of sha256sum (check it with "sha256sum -c"). With "expect", an earlier list, it tells what was added, removed and changed since. After an interruption it goes on behind the last file it had finished. What cannot be read is told and does not fail it.',
  params: treeParams,
  result: treeResult,
  checkpoint: treeCheckpoint,
  example: { params: { root: '/home/you/photos', exclude: ['**/.git', '**/*.tmp'] } },
  pure: true,
  // The manager reads this definition too, and has no use for what it takes to run it.
  run: async (context) => (await import('./checksum-tree/perform.ts')).performChecksumTree(context),
})

export default checksumTree
