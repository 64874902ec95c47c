import { harmlessText } from '../../domain/display-text.ts'
import { readBeginning } from '../../platform/read-beginning.ts'

export type ArtifactText =
  | { readonly kind: 'text'; readonly text: string; readonly truncated: boolean }
  | { readonly kind: 'binary' }
  | { readonly kind: 'missing' }

/** Reads the beginning of a file as text that is harmless to show; `binary`: it is no UTF-8 text. */
export async function artifactText(path: string, maxBytes: number): Promise<ArtifactText> {
  const beginning = await readBeginning(path, maxBytes)
  if (beginning === null) return { kind: 'missing' }
  const { bytes, whole } = beginning
  // A NUL byte is valid UTF-8 and in no text that people write.
  if (bytes.includes(0)) return { kind: 'binary' }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !whole })
    return { kind: 'text', text: harmlessText(text), truncated: !whole }
  } catch {
    return { kind: 'binary' }
  }
}
