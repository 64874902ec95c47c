import { makeTemporaryHome } from '../support/temporary-home.ts'
import { fuzzHttp, type HttpFigures } from './http-run.ts'
import { fuzzStdio, prepareQueues, type StdioFigures } from './stdio-run.ts'
import type { Era } from './valid-frames.ts'

export interface FuzzOptions {
  readonly frames: number
  readonly seed: number
  readonly transport: 'stdio' | 'http' | 'all'
}

/** Of memory, after the warm-up. */
const mostGrowthMb = 100
const eras: readonly Era[] = ['legacy', 'modern']

/** Runs the fuzz and tells each part as it ends. @returns false when something was wrong */
export async function runFuzz(options: FuzzOptions, tell: (figures: object) => void): Promise<boolean> {
  const { seed, transport } = options
  const transports = transport === 'all' ? (['stdio', 'http'] as const) : [transport]
  let sound = true
  for (const one of transports) {
    for (const era of eras) {
      const home = makeTemporaryHome()
      try {
        const directory = await prepareQueues(home, era)
        const frames = Math.ceil(options.frames / eras.length)
        const figures = await (one === 'stdio' ? fuzzStdio : fuzzHttp)(home, { era, seed, frames, directory })
        tell(figures)
        sound = sound && isSound(figures)
      } finally {
        await home.remove()
      }
    }
  }
  return sound
}

function isSound(figures: StdioFigures | HttpFigures): boolean {
  const { deaths, hangs, faults, normal_call, same_manager, rss_before_mb, rss_after_mb } = figures
  const grown = rss_after_mb - rss_before_mb
  return deaths + hangs + faults === 0 && normal_call && same_manager && grown < mostGrowthMb
}
