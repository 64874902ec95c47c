import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { version } from '../../src/config/version.ts'
import { mostListedUnits, mostUnits, unitSource } from '../../src/domain/wire/units.ts'
import { handlerJobType } from '../../src/manager/services/handler-job-type.ts'
import { ownJobTypes } from '../../src/manager/services/job-types.ts'
import { availableBuiltIns } from '../../src/workers/handlers/available-built-ins.ts'
import { madeFrom } from './made-from.ts'
import { cell, type JsonSchema, propertyTable } from './schema-table.ts'

const source = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'src')

const placeholders: readonly (readonly [string, string])[] = [
  ['{{unit}}', 'the value of the unit; a text as it is, anything else as JSON'],
  ['{{unit.path}}, {{unit["a b"]}}, {{unit.tags[0]}}', 'a field of it, or an item of a list'],
  [
    '{{unit.host}}, {{unit.url.host}}',
    'host of a unit that is an http(s) URL, or whose field `url` is one; a field `host` of its own wins',
  ],
  ['{{index}}', 'position of the unit, from 0'],
  ['{{attempt}}', 'number of the attempt, from 1'],
  ['{{job.id}}', 'id of the job'],
  ['{{fit.result.value}}', 'what the dependency named "fit" left (depends_on with "as"); also fit.id and fit.state'],
  ['{{{{', 'two braces that mean themselves'],
]

const variables: readonly (readonly [string, string])[] = [
  ['NIGHTKILN_UNIT', 'the value of the unit; a text as it is, anything else as JSON; left out when it is over 32 KiB'],
  [
    'NIGHTKILN_UNIT_<FIELD>',
    'every field of the unit that is a text, number or boolean: `path` is `NIGHTKILN_UNIT_PATH`',
  ],
  ['NIGHTKILN_UNIT_INDEX', 'position of the unit, from 0'],
  ['NIGHTKILN_UNIT_FILE', 'a file with the whole unit as JSON'],
  ['NIGHTKILN_DEPENDENCIES_FILE', 'a file with what the named dependencies left: an object by name'],
  [
    'NIGHTKILN_RESULT',
    'where the command may write its result as JSON, at most 256 KiB; a number in a field `cost` of it is added up in the review after a test phase',
  ],
  [
    'NIGHTKILN_RESULTS',
    'only in the final step: a file with one line of JSON a unit, by position: {unit, state, key, input, result, error, attempts, duration_s}',
  ],
  ['NIGHTKILN_JOB_ID', 'id of the job; `nightkiln add-units self` uses it'],
  ['NIGHTKILN_ATTEMPT', 'number of the attempt, from 1'],
  [
    'NIGHTKILN_CLI',
    'path of a script that runs this installation of `nightkiln`, whatever PATH is: `"$NIGHTKILN_CLI" add-units self …`',
  ],
  ['NIGHTKILN_HOME', 'the state directory, so that `nightkiln` reaches the same queue'],
]

const examples: readonly (readonly [string, string])[] = [
  [
    'Every sound file, three first',
    'nightkiln submit --glob "**/*.wav" --test-first 3 -- lame {{unit.path}} {{unit.stem}}.mp3',
  ],
  [
    'Downloads, two a host at once, one second apart',
    'nightkiln submit --csv urls.csv --per-key {{unit.host}} --per-key-concurrency 2 --per-key-rate 1/s -- curl -fsSO {{unit.url}}',
  ],
  [
    'A sweep over numbers, with a table at the end',
    `nightkiln submit --range 0..1:0.1 --final './table "$NIGHTKILN_RESULTS"' -- ./simulate {{unit}}`,
  ],
  ['A script that reads its unit', `nightkiln submit --lines names.txt --shell 'echo "hello $NIGHTKILN_UNIT"'`],
  ['A chain that passes a result', 'nightkiln submit --depends-on last:fit -- ./sample --slope {{fit.result.slope}}'],
  [
    'A crawl that finds its own units',
    `# crawl calls: nightkiln add-units self --unit URL
nightkiln submit --unit https://example.org/ --unit-key {{unit}} -- ./crawl {{unit}}`,
  ],
]

/** A variable that nothing in the code sets or reads is not documented. */
function assertKnown(): void {
  const text = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|sh)$/.test(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')
  const unknown = variables.map(([name]) => name.replace('<FIELD>', '')).filter((name) => !text.includes(name))
  if (unknown.length > 0) throw new Error(`docs/job-types.md tells of ${unknown.join(', ')}, which is not in the code`)
}

function sourceSections(): string {
  const { oneOf = [], anyOf = [] } = z.toJSONSchema(unitSource, { io: 'input' }) as {
    oneOf?: readonly JsonSchema[]
    anyOf?: readonly JsonSchema[]
  }
  return [...oneOf, ...anyOf]
    .map((schema) => {
      const kind = String(schema.properties?.['kind']?.const)
      const { kind: _, ...properties } = schema.properties ?? {}
      const about = schema.description === undefined ? '' : `${schema.description}.\n\n`
      return `### ${kind}\n\n${about}${propertyTable({ ...schema, properties })}`
    })
    .join('\n')
}

function table(head: string, rows: readonly (readonly [string, string])[]): string {
  const lines = rows.map(([left, right]) => `| \`${left}\` | ${cell(right)} |`)
  return `| ${head} | |\n| --- | --- |\n${lines.join('\n')}\n`
}

/** docs/job-types.md */
export function jobTypesPage(): string {
  assertKnown()
  const types = [...ownJobTypes, ...availableBuiltIns(version).map(handlerJobType)].map((type) => {
    const schema = z.toJSONSchema(type.paramsSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
    return `## ${type.type}

${type.title}. ${type.description}

${propertyTable(schema)}
\`\`\`json
${JSON.stringify({ type: type.type, params: type.example })}
\`\`\`
`
  })
  return `${madeFrom('src/manager/services/job-types.ts and src/domain/wire/units.ts')}
# Job types

\`submit_job\` takes a type and its params; \`list_job_types\` and \`nightkiln types\` show the same as this page.

${types.join('\n')}
## Units

A job runs its command once for each unit: given as a list (\`units\`, up to ${mostListedUnits.toLocaleString('en')} a call), or by a \`source\` that the manager
reads, up to ${mostUnits.toLocaleString('en')}. A unit is any JSON value of at most 1 MiB.

A source is read once, when the job is submitted, in at most 30 s; what changes afterwards changes nothing. A schedule reads it each time
it fires. A source that gives nothing is an error. Files are UTF-8. \`glob\` gives absolute paths in the order of names, takes links to
files but follows none to folders, and finds names that begin with a dot only when the pattern says the dot.

${sourceSections()}
## Placeholders

In argv, cwd, env and stdin of a command. The value becomes one argument as it is: it is never split or read by a shell. A
script (\`shell: true\`) takes no placeholders, because a value would be run as code: there is the environment for it.

${table('placeholder', placeholders)}
## Environment of a command

Beside what \`env\` says and the environment of the submitting client (PATH, HOME, LANG and the like):

${table('variable', variables)}
## Examples

${examples.map(([title, line]) => `${title}:\n\n\`\`\`sh\n${line}\n\`\`\``).join('\n\n')}
`
}
