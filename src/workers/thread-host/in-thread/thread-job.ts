import type { Json } from '../../../domain/job.ts'
import type { WireJob } from '../../threads/protocol.ts'
import { parseJson, writeJson } from './intrinsics.ts'

/** What the attempts of one job share; what they may change is made anew for each. */
export class ThreadJob {
  readonly wire: Omit<WireJob, 'params' | 'dependencies'>
  readonly environment: Readonly<Record<string, string>>
  readonly #params: string
  readonly #dependencies: string

  constructor(text: string) {
    const { params, dependencies, ...wire } = parseJson(text) as WireJob
    this.wire = wire
    this.environment = Object.freeze(wire.environment)
    this.#params = writeJson(params)
    this.#dependencies = writeJson(dependencies)
  }

  params(): unknown {
    return parseJson(this.#params)
  }

  dependencies(): Readonly<Record<string, Json>> {
    return parseJson(this.#dependencies) as Record<string, Json>
  }
}
