/** Writes the pages of docs/ that are made from the code; with --check it only fails when one of them is out of date. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Argument, Command, Option } from 'commander'
import { z } from 'zod'
import { createCommandRunner } from '../src/cli/command-runner.ts'
import { outcomeExitCodes } from '../src/cli/exit-codes.ts'
import { buildProgram } from '../src/cli/program.ts'
import { settingsSchema } from '../src/config/settings.ts'
import { version } from '../src/config/version.ts'
import { errorKinds } from '../src/domain/errors.ts'
import { problem } from '../src/domain/wire/manager.ts'
import { operations } from '../src/domain/wire/operations.ts'
import { apiVersion } from '../src/domain/wire/shared.ts'
import { tools } from '../src/tools/all-tools.ts'
import { plainJsonSchema } from '../src/tools/plain-json-schema.ts'
import { gpuWorkerOpenApi } from './pages/gpu-worker-openapi.ts'
import { jobTypesPage } from './pages/job-types-page.ts'
import { madeFrom } from './pages/made-from.ts'
import { cell, type JsonSchema, propertyTable, typeText } from './pages/schema-table.ts'
import { statesPage } from './pages/states-page.ts'

const docs = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs')

function toolsPage(): string {
  const sections = tools.map((tool) => {
    const listed = tool.listed()
    const hints = Object.entries(listed.annotations ?? {})
      .filter(([, value]) => typeof value === 'boolean')
      .map(([name, value]) => `${name} ${value}`)
    return [
      `## ${listed.name}`,
      `**${listed.title}.** ${hints.join(', ')}.`,
      listed.description ?? '',
      '### Arguments',
      propertyTable(listed.inputSchema as JsonSchema),
      '### Answer',
      propertyTable(plainJsonSchema(operations[tool.name].answer, 'output', tool.name, 'person') as JsonSchema),
    ].join('\n\n')
  })
  const list = tools.map((tool) => `- [\`${tool.name}\`](#${tool.name}): ${tool.listed().title}`).join('\n')
  return `${madeFrom('src/tools')}\n# MCP tools\n\nServer name \`nightkiln\`. Every answer comes in under 45 s.\n\n${list}\n\n${sections.join('\n')}`
}

function argumentText(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? `<${name}>` : `[${name}]`
}

function visible(command: Command): Command[] {
  // The help command lists what the user sees: hidden ones are missing there.
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help')
}

function commandSection(command: Command, parents: readonly string[]): string {
  const path = [...parents, command.name()]
  const usage = [
    path.join(' '),
    command.options.length > 0 ? '[options]' : '',
    ...command.registeredArguments.map(argumentText),
  ]
  const lines = [`## ${path.join(' ')}`, command.description()]
  if (command.aliases().length > 0) lines.push(`Also: \`${[...parents, command.alias()].join(' ')}\`.`)
  lines.push(`\`\`\`\n${usage.filter((part) => part !== '').join(' ')}\n\`\`\``)
  const row = (left: string, right: string) => `| \`${left}\` | ${cell(right)} |`
  const rows = [
    ...command.registeredArguments.map((argument) => row(argumentText(argument), argument.description)),
    ...command.options
      .filter((option: Option) => !option.hidden)
      .map((option) => row(option.flags.replaceAll('|', '\\|'), option.description)),
  ]
  if (rows.length > 0) lines.push(`| option | meaning |\n| --- | --- |\n${rows.join('\n')}`)
  const children = visible(command)
  return [lines.join('\n\n'), ...children.map((child) => commandSection(child, path))].join('\n\n')
}

function exitCodeTable(): string {
  const outcomes = Object.values(outcomeExitCodes).map(({ code, meaning }) => ({ code, meaning }))
  const errors = [...new Set(Object.values(errorKinds).map((kind) => kind.exitCode))].map((code) => {
    const names = Object.entries(errorKinds).flatMap(([name, kind]) => (kind.exitCode === code ? [`\`${name}\``] : []))
    return { code, meaning: `error: ${names.join(', ')}` }
  })
  const rows = [...outcomes, ...errors].sort((left, right) => left.code - right.code)
  return `| code | meaning |\n| --- | --- |\n${rows.map(({ code, meaning }) => `| ${code} | ${meaning} |`).join('\n')}\n`
}

function cliPage(): string {
  const silent = { write: () => true }
  const runner = createCommandRunner(
    {
      environment: {},
      cwd: '/',
      stdin: (async function* () {})(),
      now: Date.now,
      randomId: () => '',
      interrupted: new AbortController().signal,
    },
    { stdout: silent, stderr: silent },
  )
  const program = buildProgram(runner)
  const sections = visible(program).map((command) => commandSection(command, ['nightkiln']))
  return `${madeFrom('src/cli')}
# Command line

The same verbs as the MCP tools, through the same door. Jobs are named by their whole id, by at least 4 characters of its end
(as tables show it in narrow terminals; wide ones and pipes get whole ids), by \`last\`, or, in a command that Nightkiln runs,
by \`self\`. A length is \`90s\`, \`10m\` or
\`2h\`; a number without a unit counts as seconds.

With \`--json\`, before or behind its name, a command prints one JSON value on standard output and nothing else; an error is one JSON object
\`{"error":{"code","message","remedy"}}\` on standard error. Without it, answers go to standard output and notes to standard
error; colour follows \`NO_COLOR\` and \`FORCE_COLOR\`. Text that a job printed is shown with its control characters escaped.

## Exit codes

${exitCodeTable()}
\`cancel\` of a job that had ended before exits with ${errorKinds.invalid_transition.exitCode}, like every \`invalid_transition\`; nothing was changed then.

${sections.join('\n\n')}
`
}

function errorsPage(): string {
  const rows = Object.entries(errorKinds).map(
    ([code, kind]) =>
      `| \`${code}\` | ${kind.exitCode} | ${kind.httpStatus} | ${kind.retryable ? 'yes' : ''} | ${cell(kind.meaning)} | ${cell(kind.remedy)} |`,
  )
  return `${madeFrom('src/domain/errors.ts')}
# Errors

Codes are stable: they are never changed, only added. "Again" means that the same call may succeed later without a change.

| code | exit code | HTTP | again | meaning | what to do |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`
}

function configurationPage(): string {
  const schema = z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    // The only default that depends on the machine.
    const fallback = name === 'slots' ? 'processor cores, at least 2' : `\`${JSON.stringify(property.default)}\``
    return `| \`${name}\` | ${cell(typeText(property))} | ${fallback} | ${cell(property.description ?? '')} |`
  })
  return `${madeFrom('src/config/settings.ts')}
# Configuration

Nothing has to be configured. The file \`config.json\` is read when the manager starts; every key is optional, unknown keys are
refused. It lies in the configuration directory of the user (Linux \`~/.config/nightkiln\`, macOS
\`~/Library/Preferences/nightkiln\`, Windows \`%APPDATA%\\nightkiln\\Config\`), or in \`config/\` of the state directory when
\`NIGHTKILN_HOME\` names another one. \`nightkiln doctor\` shows where, and checks it.

Lengths of time are written like \`"30s"\`, \`"10m"\`, \`"2h"\`; sizes like \`"64kb"\`, \`"512mb"\`, \`"1gb"\`.

| key | type | default | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}

## Environment

| variable | meaning |
| --- | --- |
| \`NIGHTKILN_HOME\` | State directory, an absolute path on a local disk (default: the data directory of the user) |
| \`NIGHTKILN_NODE\` | The node that runs the manager, when the client brings a runtime of its own |
| \`NIGHTKILN_ENTRY\` | The installed package (its folder) whose manager an \`.mcpb\` bundle starts; else it looks for one |
| \`NIGHTKILN_MAX_ANSWER_CHARACTERS\` | Characters of JSON that the answer of a tool may have: 2,000 to 400,000, default 20,000. A longer one is cut and names the call that gets the rest |
| \`NO_COLOR\`, \`FORCE_COLOR\` | Colour of the command line |

What a command finds in its environment stands in [job-types.md](job-types.md).
`
}

function openApi(): string {
  const json = (schema: z.ZodType, io: 'input' | 'output') => {
    const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
    return { 'application/json': { schema: rest } }
  }
  const paths = Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => [
      `/v1/${name}`,
      {
        post: {
          operationId: name,
          summary: operation.summary,
          requestBody: { required: true, content: json(operation.request, 'input') },
          responses: {
            200: { description: 'Done', content: json(operation.answer, 'output') },
            default: {
              description: 'Error, see docs/errors.md',
              content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
            },
          },
        },
      },
    ]),
  )
  const problemSchema = json(problem, 'output')['application/json'].schema
  const page = {
    openapi: '3.1.0',
    info: {
      title: 'Nightkiln manager API',
      version,
      description: `HTTP and JSON over the manager's unix socket (a named pipe on Windows). API version ${apiVersion}. GET /v1/events is a stream of server-sent events.`,
    },
    paths,
    components: { schemas: { Problem: problemSchema } },
  }
  return `${JSON.stringify(page, null, 2)}\n`
}

const pages: Readonly<Record<string, () => string>> = {
  'tools.md': toolsPage,
  'cli.md': cliPage,
  'job-types.md': jobTypesPage,
  'states.md': statesPage,
  'errors.md': errorsPage,
  'configuration.md': configurationPage,
  'openapi.json': openApi,
  'gpu-worker.openapi.json': gpuWorkerOpenApi,
}

const check = process.argv.includes('--check')
mkdirSync(docs, { recursive: true })
for (const [name, make] of Object.entries(pages)) {
  const file = join(docs, name)
  const text = make().replace(/\n{3,}/g, '\n\n')
  const now = existsSync(file) ? readFileSync(file, 'utf8') : null
  if (now === text) continue
  if (check) {
    console.error(`docs/${name} is out of date: run npm run docs`)
    process.exitCode = 1
  } else {
    writeFileSync(file, text)
    console.log(`docs/${name} written`)
  }
}
