import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { QueueError } from '../../domain/errors.ts'
import { makeDirectory } from '../../platform/make-directory.ts'
import {
  compilerTemplate,
  type HandlerLanguage,
  handlerTemplate,
  packageTemplate,
  testTemplate,
} from './handler-template.ts'

export interface WrittenFile {
  readonly path: string
  /** False: it was there before and is as it was. */
  readonly made: boolean
}

/**
 * Writes a handler that works, its test, and what belongs to the directory once. Nothing that is there is changed.
 * @throws QueueError invalid_input when there is a handler of that name, config_invalid when the directory cannot be written
 */
export function writeHandler(directory: string, type: string, language: HandlerLanguage): readonly WrittenFile[] {
  const taken = ['ts', 'js', 'mjs']
    .map((ending) => join(directory, `${type}.${ending}`))
    .find((path) => existsSync(path))
  if (taken !== undefined) {
    throw new QueueError('invalid_input', `${taken} is there already`, {
      remedy: 'Edit it, or choose another name; nothing was written.',
    })
  }
  try {
    makeDirectory(directory)
    return [
      place(join(directory, `${type}.${language}`), handlerTemplate(type)),
      place(join(directory, `${type}.test.${language}`), testTemplate(type, language)),
      place(join(directory, 'package.json'), packageTemplate),
      place(join(directory, 'tsconfig.json'), compilerTemplate),
    ]
  } catch (error) {
    throw new QueueError('config_invalid', `cannot write to ${directory}: ${(error as Error).message}`, {
      remedy: 'Make the directory writable for you, or name another as "handlers" in the configuration.',
      cause: error,
    })
  }
}

function place(path: string, text: string): WrittenFile {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 })
    return { path, made: true }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return { path, made: false }
    throw error
  }
}
