import type { GpuWorkerEntry } from '../../domain/wire/gpu.ts'

/** In quotes where a shell would take a text apart. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

function keyWords({ key }: GpuWorkerEntry): readonly string[] {
  if (key === undefined) return []
  if ('file' in key) return ['--key-file', word(key.file)]
  if ('env' in key) return ['--key-env', word(key.env)]
  return ['--keychain', word(`${key.keychain.service}/${key.keychain.account}`)]
}

/**
 * @param more what the entry lacks, such as `--allow-cpu`
 * @returns the command that enters a worker again, with everything that its entry says already
 */
export function addLine(name: string, entry: GpuWorkerEntry, more: string): string {
  const words = [
    'nightkiln gpu add',
    name,
    word(entry.url),
    '--replace',
    ...keyWords(entry),
    ...(entry.ca_file === undefined ? [] : ['--ca-file', word(entry.ca_file)]),
    ...(entry.allow_cpu === true ? ['--allow-cpu'] : []),
    ...(entry.cog_type === undefined ? [] : ['--cog-type', word(entry.cog_type)]),
    more,
  ]
  return words.join(' ')
}
