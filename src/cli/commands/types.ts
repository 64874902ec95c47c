import type { Command } from 'commander'
import type { ListJobTypesAnswer } from '../../domain/wire/jobs.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { indentedLines } from '../display/indented-lines.ts'
import { schemaKeysText, schemaLines } from '../display/schema-lines.ts'
import type { Session } from '../session.ts'

type ListedType = ListJobTypesAnswer['types'][number]

export function typesCommand(runner: CommandRunner): Command {
  return jsonCommand('types', 'List what can be submitted, and handlers that cannot be used')
    .argument('[type]', 'only this one, with every field of its params, units and result')
    .action(runner.act(types))
}

async function types(session: Session, _options: object, name: string | undefined): Promise<number> {
  const { terminal } = session
  const request = { detail: 'full', ...(name === undefined ? {} : { type: name }) } as const
  const answer = await session.client().call('list_job_types', request, { signal: session.interrupted })
  if (session.json) {
    terminal.value(answer)
    return 0
  }
  for (const type of answer.types) tellType(session, type, name !== undefined)
  for (const broken of answer.unavailable) tellBroken(session, broken)
  return 0
}

function tellType({ terminal }: Session, type: ListedType, isWhole: boolean): void {
  const { colors, harmless } = terminal
  const source = type.source === 'built-in' ? '' : `  ${colors.dim(harmless(type.source))}`
  terminal.line(`${colors.bold(harmless(type.type))}  ${harmless(type.title)}${source}`)
  for (const line of indentedLines(type.description, terminal, '  ')) terminal.line(line)
  const schemas = [
    ['params', type.params_schema],
    ['unit', type.unit_schema],
    ['result', type.result_schema],
  ] as const
  for (const [title, schema] of schemas) {
    if (schema === undefined || schema === null) continue
    if (!isWhole) terminal.line(`  ${title.padEnd(8)} ${harmless(schemaKeysText(schema))}`)
    else for (const line of schemaLines(schema, title)) terminal.line(`  ${harmless(line)}`)
  }
  const limits = limitsText(type)
  if (limits !== '') terminal.line(`  limits   ${harmless(limits)}`)
  if (type.example !== undefined) terminal.line(`  example  ${harmless(JSON.stringify(type.example))}`)
}

function limitsText({ concurrency, gpu, pure, defaults }: ListedType): string {
  const parts = [
    ...(typeof concurrency === 'number' ? [`${concurrency} at once`] : []),
    ...(gpu === undefined || gpu === 'never' ? [] : [`gpu: ${gpu}`]),
    ...(pure === true ? ['pure'] : []),
    ...Object.entries(defaults ?? {}).map(([key, value]) => `${key} ${JSON.stringify(value)}`),
  ]
  return parts.join(', ')
}

function tellBroken({ terminal }: Session, { type, file, problem }: ListJobTypesAnswer['unavailable'][number]): void {
  const { colors, harmless } = terminal
  terminal.line(
    `${colors.bold(colors.red(harmless(type)))}  ${colors.red('cannot be used')}  ${colors.dim(harmless(file))}`,
  )
  terminal.line(`  ${colors.red(harmless(problem))}`)
}
