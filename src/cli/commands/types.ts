import type { Command } from 'commander'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { indentedLines } from '../display/indented-lines.ts'
import type { Session } from '../session.ts'

export function typesCommand(runner: CommandRunner): Command {
  return jsonCommand('types', 'List what can be submitted').action(runner.act(types))
}

async function types(session: Session): Promise<number> {
  const { terminal } = session
  const answer = await session.client().call('list_job_types', {}, { signal: session.interrupted })
  if (session.json) terminal.value(answer)
  else {
    for (const type of answer.types) {
      terminal.line(`${terminal.colors.bold(terminal.harmless(type.type))}  ${terminal.harmless(type.title)}`)
      for (const line of indentedLines(type.description, terminal, '  ')) terminal.line(line)
      const schema = type.params_schema['properties']
      if (typeof schema === 'object' && schema !== null)
        terminal.line(`  params   ${terminal.harmless(Object.keys(schema).join(', '))}`)
      terminal.line(`  example  ${terminal.harmless(JSON.stringify(type.example))}`)
    }
  }
  return 0
}
