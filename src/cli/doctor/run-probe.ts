import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { findNode } from '../../client/find-node.ts'

const probeAnswer = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    sqlite_version: z.string().optional(),
    /** Whether another process holds the lock; null when there is no lock file. */
    held: z.boolean().nullable().optional(),
    schema_version: z.int().optional(),
    jobs: z.int().optional(),
    events: z.int().optional(),
  }),
  z.object({ ok: z.literal(false), message: z.string(), remedy: z.string().optional() }),
])
export type ProbeAnswer = z.infer<typeof probeAnswer>

const timeoutMs = 60_000

function probeProgram(name: string): string {
  const program = fileURLToPath(new URL(`../../manager/process/${name}.js`, import.meta.url))
  // From source the built probe is started, as the launcher does with the manager.
  return import.meta.url.endsWith('.ts') ? program.replace(/([\\/])src([\\/]manager[\\/])/, '$1dist$2') : program
}

/** Runs the part of doctor that needs the native module, in a process of its own. Never throws. */
export function runProbe(
  request: readonly string[],
  environment: NodeJS.ProcessEnv,
  program: 'doctor-probe' | 'accept-database' = 'doctor-probe',
): ProbeAnswer {
  try {
    const child = spawnSync(findNode(environment), [probeProgram(program), ...request], {
      encoding: 'utf8',
      timeout: timeoutMs,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    })
    const line = child.stdout?.trim().split('\n').at(-1) ?? ''
    if (line !== '') return probeAnswer.parse(JSON.parse(line))
    const reason =
      child.error?.message ??
      lastUsefulLine(child.stderr ?? '') ??
      `it ended with ${child.signal ?? `code ${child.status}`}`
    return { ok: false, message: reason }
  } catch (error) {
    return { ok: false, message: (error as Error).message }
  }
}

function lastUsefulLine(stderr: string): string | undefined {
  return stderr
    .split('\n')
    .find((line) => /error/i.test(line))
    ?.trim()
}
