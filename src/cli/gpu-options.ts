import type { Command } from 'commander'
import { gpuFallbacks, gpuPreferences } from '../domain/wire/gpu.ts'
import { badOption, secondsOption } from './option-values.ts'

/** Options that say what a job asks of GPU workers; the same for submit and rerun. */
export interface GpuOptions {
  readonly gpu?: string
  readonly gpuFallback?: string
  readonly gpuWait?: string
}

/** Adds the options of GpuOptions to a command. */
export function addGpuOptions(command: Command): Command {
  return command
    .option(
      '--gpu <preference>',
      'prefer a GPU worker (nightkiln gpu), require one, or never (default: as its type says)',
    )
    .option(
      '--gpu-fallback <when>',
      'with prefer, once a worker is lost: after-lease (default), immediate (pure types only) or never',
    )
    .option('--gpu-wait <length>', 'longest wait for a place at a worker (default 60s; with require 24h)')
}

/** @returns what the options say about GPU workers, by the names of the wire; only what was given. */
export function gpuOf({ gpu, gpuFallback, gpuWait }: GpuOptions): Readonly<Record<string, unknown>> {
  return {
    ...(gpu === undefined ? {} : { gpu: oneOf('--gpu', gpu, gpuPreferences) }),
    ...(gpuFallback === undefined ? {} : { gpu_fallback: oneOf('--gpu-fallback', gpuFallback, gpuFallbacks) }),
    ...(gpuWait === undefined ? {} : { gpu_wait_s: secondsOption('--gpu-wait', gpuWait) }),
  }
}

function oneOf<Word extends string>(option: string, value: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === value.trim().toLowerCase().replaceAll('-', '_'))
  if (found !== undefined) return found
  throw badOption(
    option,
    value,
    words
      .map((word) => word.replaceAll('_', '-'))
      .join(', ')
      .replace(/, ([^,]*)$/, ' or $1'),
  )
}
