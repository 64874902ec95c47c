import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SubmitInput } from '../../domain/wire/submit.ts'
import { makeDirectory } from '../../platform/make-directory.ts'

/** One job of the demo and how its outcome is judged from outside. */
export interface DemoJob {
  readonly name: string
  readonly submit: SubmitInput
}

export interface DemoWork {
  /** The real directory tree that is worked on: an installed npm package. */
  readonly tree: string
  readonly folder: string
  readonly jobs: readonly DemoJob[]
}

const slowSteps = 30

/** Writes one line to the ledger at the start of a command: what truly ran, and how often. */
const noteStart = (name: string) => `echo "${name} $NIGHTKILN_ATTEMPT" >> "$LEDGER"`

/**
 * Real work over real files: a checksum of every file of a directory tree, its compression and test, and a slow command in
 * steps. All of them report progress in their output.
 * @param folder where results and ledger go
 */
export function demoWork(folder: string): DemoWork {
  makeDirectory(folder)
  const tree = installedPackage('zod')
  const env = { TREE: tree, OUT: folder, LEDGER: ledgerFile(folder), LC_ALL: 'C' }
  const job = (name: string, lines: readonly string[]): DemoJob => ({
    name,
    submit: {
      type: 'command',
      name,
      params: { shell: true, script: ['set -e', noteStart(name), ...lines].join('\n'), cwd: folder, env },
      labels: { demo: 'main-job' },
    },
  })
  return {
    tree,
    folder,
    jobs: [
      job('checksums', [
        'cd "$TREE"; find . -type f | sort > "$OUT/files.txt"',
        'total=$(wc -l < "$OUT/files.txt" | tr -d " "); i=0; : > "$OUT/checksums.txt"',
        'while IFS= read -r file; do',
        '  cksum "$file" >> "$OUT/checksums.txt"; i=$((i + 1))',
        '  [ $((i % 25)) -ne 0 ] || echo "::progress $i/$total $file"',
        'done < "$OUT/files.txt"',
        'echo "::progress $total/$total $total files summed"',
      ]),
      job('compress', [
        'echo "::progress 1/3 packing"; tar -cf "$OUT/tree.tar" -C "$TREE" .',
        'echo "::progress 2/3 compressing"; gzip -9 -f "$OUT/tree.tar"',
        'gzip -t "$OUT/tree.tar.gz"; echo "::progress 3/3 $(wc -c < "$OUT/tree.tar.gz" | tr -d " ") bytes, tested"',
      ]),
      job('slow-report', [
        `step=0; : > "$OUT/report.txt"`,
        `while [ $step -lt ${slowSteps} ]; do`,
        '  step=$((step + 1)); find "$TREE" -type f | wc -l >> "$OUT/report.txt"; sleep 0.4',
        `  echo "::progress $step/${slowSteps} step $step of ${slowSteps}"`,
        'done',
        'echo "report of $(wc -l < "$OUT/report.txt" | tr -d " ") lines"',
      ]),
    ],
  }
}

function ledgerFile(folder: string): string {
  return join(folder, 'ledger.txt')
}

/** @returns how often each command was started, judged from the lines the commands wrote themselves. */
export function countStarts(folder: string): ReadonlyMap<string, number> {
  const starts = new Map<string, number>()
  for (const line of readLines(ledgerFile(folder))) {
    const name = line.split(' ')[0] ?? ''
    starts.set(name, (starts.get(name) ?? 0) + 1)
  }
  return starts
}

/** @returns what is wrong with the files the jobs made; empty when all is right. */
export function checkResults(folder: string): string[] {
  const files = readLines(join(folder, 'files.txt')).length
  const sums = readLines(join(folder, 'checksums.txt')).length
  const report = readLines(join(folder, 'report.txt')).length
  return [
    ...(files > 0 && files === sums ? [] : [`${files} files were listed but ${sums} checksums written`]),
    ...(report === slowSteps ? [] : [`the slow report has ${report} lines instead of ${slowSteps}`]),
  ]
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
  } catch {
    return []
  }
}

function installedPackage(name: string): string {
  return dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)))
}
