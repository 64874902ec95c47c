import type { Clock } from '../../domain/clock.ts'
import type { WireGpu } from '../../domain/wire/prediction.ts'
import { nvidiaGpus } from './nvidia-smi.ts'
import { webgpuAdapter } from './webgpu-adapter.ts'

const freshMs = 5_000

export interface GpuLook {
  readonly nvidia: () => Promise<readonly WireGpu[]>
  readonly webgpu: () => Promise<WireGpu | null>
}

/** The GPUs of this machine, looked at again when the last look is older than 5 s. */
export class Gpus {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #look: GpuLook
  readonly #allowSoftware: boolean
  #known: readonly WireGpu[] = []
  /** An adapter does not change while the machine runs, and asking for it takes a process. */
  #adapter: WireGpu | null | undefined
  #lookedAt = Number.NEGATIVE_INFINITY
  #looking: Promise<readonly WireGpu[]> | null = null

  /** @param allowSoftware a software adapter may be computed on, as tests do */
  constructor(
    clock: Pick<Clock, 'monotonic'>,
    allowSoftware: boolean,
    look: GpuLook = { nvidia: () => nvidiaGpus(), webgpu: () => webgpuAdapter() },
  ) {
    this.#clock = clock
    this.#allowSoftware = allowSoftware
    this.#look = look
  }

  async list(): Promise<readonly WireGpu[]> {
    if (this.#clock.monotonic() - this.#lookedAt < freshMs) return this.#known
    this.#looking ??= this.#lookNow().finally(() => {
      this.#looking = null
    })
    return await this.#looking
  }

  /** As of the last look: what handlers are told to compute on. */
  get compute(): 'gpu' | 'cpu' {
    return this.#known.some(({ software }) => !software || this.#allowSoftware) ? 'gpu' : 'cpu'
  }

  async #lookNow(): Promise<readonly WireGpu[]> {
    const nvidia = await this.#look.nvidia()
    if (nvidia.length === 0 && this.#adapter === undefined) this.#adapter = await this.#look.webgpu()
    const adapter = this.#adapter ?? null
    this.#known = nvidia.length > 0 || adapter === null ? nvidia : [adapter]
    this.#lookedAt = this.#clock.monotonic()
    return this.#known
  }
}
