import type { Command } from 'commander'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import type { Session } from '../session.ts'

export function demoCommand(runner: CommandRunner): Command {
  return jsonCommand('demo', 'Show that a job survives its client and its manager, in under a minute').action(
    runner.act(demo),
  )
}

async function demo(session: Session): Promise<number> {
  const { runDemo } = await import('../demo/run-demo.ts')
  return runDemo({ json: session.json })
}
