import { join } from 'node:path'
import { installedTool } from './installed-tool.ts'
import { type ProgramRun, runProgram } from './run-program.ts'

const launcher = join('@modelcontextprotocol', 'inspector', 'clients', 'launcher', 'build', 'index.js')

export const inspector = installedTool('inspector', launcher)

/** Exit statuses of the Inspector that the tests mean. */
export const inspectorExit = { fine: 0, toolError: 5, badSchema: 6 } as const

/** Runs the Inspector's command line against a server, which it gives nothing of its environment but a few base names. */
export function runInspector(
  server: readonly string[],
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<ProgramRun> {
  const home = environment['NIGHTKILN_HOME'] ?? ''
  const given = ['-e', `NIGHTKILN_HOME=${home}`]
  return runProgram([inspector.program, '--cli', ...given, ...server, ...args], { ...environment, HOME: home })
}
