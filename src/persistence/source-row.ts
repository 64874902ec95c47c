import type { Json } from '../domain/job.ts'
import type { NewSource } from '../domain/ports/source-store.ts'

export interface SourceRow {
  seq: number
  job_seq: number
  kind: NewSource['kind']
  /** JSON. */
  spec: string
  total: number
  cursor: number
  added: number
  skipped: number
  /** JSON: of its job. */
  options: string
}

/** @returns what a source is stored as. */
export function sourceBinds(source: NewSource): { kind: string; spec: string; total: number } {
  const { kind, total } = source
  if (source.kind === 'list') return { kind, total, spec: JSON.stringify({ items: source.items }) }
  if (source.kind === 'range') return { kind, total, spec: JSON.stringify({ from: source.from, step: source.step }) }
  return { kind, total, spec: JSON.stringify({ file: source.file }) }
}

export function toSource(row: SourceRow): NewSource {
  const { kind, total } = row
  const spec = JSON.parse(row.spec) as { items: Json[]; from: number; step: number; file: string }
  if (kind === 'list') return { kind, items: spec.items, total }
  if (kind === 'range') return { kind, from: spec.from, step: spec.step, total }
  return { kind, file: spec.file, total }
}
