import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../../src/domain/clock.ts'
import type { GpuNeed } from '../../../src/domain/ports/remote-executor.ts'
import type { GpuWorkerEntry } from '../../../src/domain/wire/gpu.ts'
import { createGpuFleet, type FleetOptions } from '../../../src/gpu-client/fleet/create-fleet.ts'
import type { FleetPace } from '../../../src/gpu-client/fleet/pace.ts'
import type { FleetAccess } from '../../../src/gpu-client/fleet-access.ts'
import { useDirectory } from './certificates.ts'

export const need: GpuNeed = { type: 'montecarlo', version: '1', gpuMemoryMegabytes: null, pure: false }

export const pathsIn = (directory: string): FleetOptions['paths'] => ({
  gpuWorkers: join(directory, 'gpu-workers.json'),
  gpuBreakers: join(directory, 'gpu-breakers.json'),
})

/** Everything happens soon. */
const quick: Partial<FleetPace> = { tickMs: 20, soonMs: 40, lateMs: 200, retryMs: 10 }

export interface FleetUnderTest {
  readonly fleet: FleetAccess
  readonly paths: FleetOptions['paths']
  readonly directory: string
  readonly warnings: string[]
}

/** A fleet with these workers; it ends with the test. */
export function useFleet(
  workers: Readonly<Record<string, GpuWorkerEntry>>,
  options: Partial<Omit<FleetOptions, 'pace'>> & {
    readonly pace?: Partial<FleetPace>
    readonly directory?: string
  } = {},
): FleetUnderTest {
  const directory = options.directory ?? useDirectory()
  const paths = pathsIn(directory)
  if (options.directory === undefined) writeFileSync(paths.gpuWorkers, JSON.stringify({ workers }))
  const warnings: string[] = []
  const fleet = createGpuFleet({
    paths,
    clock: systemClock,
    warn: (message) => warnings.push(message),
    ...options,
    pace: { ...quick, ...options.pace },
  })
  onTestFinished(() => fleet.close())
  return { fleet, paths, directory, warnings }
}
