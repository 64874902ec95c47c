import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { isWhole } from './test/support/rounds.ts'

interface Shape {
  readonly name: string
  /** For tests that hang; several times what the slowest needs on a machine that is busy with other things. */
  readonly timeoutMs: number
  /** Test files at once; two cores are the smallest machine this must pass on. */
  readonly files: number
  /** Projects of one group run at the same time, and have as many files at once between them. */
  readonly group: number
  /** True when the tests start processes of the product: they run what ships, so dist/ is built first. */
  readonly built: boolean
  /** Its files share processes, which saves loading everything again for each: only where nothing outlives a test. */
  readonly shared?: boolean
  /** Default: all of the folder with the project's name. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
}

/** Crash tests that measure times or memory, or take the whole machine: nothing runs beside them. */
const alone = ['start-race', 'manager-kills', 'output-flood', 'executor-flood'].map(
  (name) => `test/crash/${name}.test.ts`,
)

/** Integration tests that change the process they run in: a module of Node, what a graphics library reads, what is uncaught. */
const apart = ['gpu-client/localhost', 'handlers/montecarlo', 'manager/hostile-connections'].map(
  (name) => `test/integration/${name}.test.ts`,
)

/** In running order, fast to slow. Those of the last group but one wait as much as they compute: together they fill both cores. */
const shapes: readonly Shape[] = [
  { name: 'unit', timeoutMs: 20_000, files: 2, group: 0, built: false, shared: true },
  { name: 'conformance', timeoutMs: 20_000, files: 2, group: 1, built: false, shared: true },
  { name: 'integration', timeoutMs: 60_000, files: 4, group: 2, built: true, shared: true, exclude: apart },
  { name: 'apart', timeoutMs: 60_000, files: 4, group: 3, built: true, include: apart },
  { name: 'property', timeoutMs: 180_000, files: 4, group: 3, built: false },
  { name: 'protocol', timeoutMs: 120_000, files: 4, group: 3, built: true },
  { name: 'cli', timeoutMs: 120_000, files: 4, group: 3, built: true },
  { name: 'examples', timeoutMs: 180_000, files: 4, group: 3, built: true },
  { name: 'crash', timeoutMs: 180_000, files: 4, group: 3, built: true, exclude: alone },
  { name: 'alone', timeoutMs: 180_000, files: 1, group: 4, built: true, include: alone },
]

function project(shape: Shape): TestProjectInlineConfiguration {
  const timeoutMs = shape.timeoutMs * (isWhole ? 5 : 1)
  return {
    test: {
      name: shape.name,
      include: [...(shape.include ?? [`test/${shape.name}/**/*.test.ts`])],
      exclude: [...(shape.exclude ?? [])],
      environment: 'node',
      pool: 'forks',
      isolate: shape.shared !== true,
      maxWorkers: isWhole ? 1 : shape.files,
      retry: 0,
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      allowOnly: false,
      // What ships is loaded as it is.
      server: { deps: { external: [/\/dist\//] } },
      // Waiting for a condition ends with it; only a machine that is very busy needs so long.
      expect: { poll: { timeout: Math.min(20_000, shape.timeoutMs - 1_000) } },
      sequence: { shuffle: { files: false, tests: true }, groupOrder: shape.group },
      ...(shape.built ? { globalSetup: ['test/support/build-once.ts'] } : {}),
    },
  }
}

export default defineConfig({
  test: {
    projects: shapes.map(project),
    teardownTimeout: 10_000,
  },
})
