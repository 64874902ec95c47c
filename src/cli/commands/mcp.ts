import { Command } from 'commander'
import type { CommandRunner } from '../command-runner.ts'

/** For help and for `mcp` with options; the plain call never gets here (main.ts). */
export function mcpCommand(runner: CommandRunner): Command {
  const summary = 'Speak MCP on standard input and output; started by MCP clients'
  return new Command('mcp')
    .summary(summary)
    .description(`${summary}.`)
    .action(
      runner.act(async () => {
        const { runMcpServer } = await import('../../server/main.ts')
        await runMcpServer()
        return 0
      }),
    )
}
