import { QueueError } from './errors.ts'
import type { Json } from './job.ts'
import {
  compileTemplate,
  type Placeholder,
  placeholdersOf,
  placeholderValue,
  renderTemplate,
  type Template,
  type TemplateScope,
} from './template.ts'
import type { CommandParams } from './wire/submit.ts'

/** What the command of one unit is run with. */
export interface RenderedCommand {
  readonly argv: string[]
  /** Undefined: not given. */
  readonly cwd: string | undefined
  readonly env: Record<string, string>
  readonly stdin: string | null
}

/** What is known of a job when its parameters are checked. */
export interface TemplateFacts {
  /** A job with units, a source, or kept open for units. */
  readonly hasUnits: boolean
  /** The first unit; undefined: not known yet. */
  readonly first?: Json | undefined
  /** Names of its dependencies. */
  readonly aliases?: readonly string[]
}

interface CompiledCommand {
  readonly argv: readonly Template[]
  readonly cwd: Template | undefined
  readonly env: readonly (readonly [string, Template])[]
  readonly stdin: Template | undefined
}

/**
 * Checks the placeholders of a command at submit: all parse, and those of a known first unit have a value.
 * @throws QueueError invalid_input; also for placeholders in a shell script, where a value would be run as code
 */
export function checkTemplates(params: CommandParams, facts: TemplateFacts): void {
  refusePlaceholdersInScript(params.script)
  const command = compile(params, facts.hasUnits, facts.aliases ?? [])
  refuseShellCode(command.argv)
  if (facts.first === undefined && facts.hasUnits) return
  const scope: TemplateScope = {
    unit: facts.hasUnits ? facts.first : undefined,
    index: 0,
    job: { id: '' },
    attempt: 1,
    dependencies: new Map(),
  }
  command.argv.forEach((template, position) => {
    if (isKnown(template)) renderArgument(command.argv, position, scope)
  })
  const others = [command.cwd, command.stdin, ...command.env.map(([, template]) => template)]
  for (const template of others) if (template !== undefined && isKnown(template)) renderTemplate(template, scope)
}

/** What a dependency will leave is not known before it has ended. */
function isKnown(template: Template): boolean {
  return placeholdersOf(template).every((placeholder) => placeholder.root !== 'dependencies')
}

/**
 * @param params as `checkTemplates` accepted them
 * @returns the command of one unit, every placeholder replaced. A shell script is left as it is.
 * @throws QueueError invalid_input for a missing field, a NUL character, or a value that would be read as an option
 */
export function renderCommand(params: CommandParams, scope: TemplateScope): RenderedCommand {
  const command = compile(params, scope.unit !== undefined, [...scope.dependencies.keys()])
  const env = command.env.map(([name, template]) => [name, renderTemplate(template, scope)] as const)
  return {
    argv:
      params.shell === true
        ? ['/bin/sh', '-c', params.script ?? '']
        : command.argv.map((_, position) => renderArgument(command.argv, position, scope)),
    cwd: command.cwd === undefined ? undefined : renderTemplate(command.cwd, scope),
    env: Object.fromEntries(env),
    stdin: command.stdin === undefined ? null : renderTemplate(command.stdin, scope),
  }
}

function compile(params: CommandParams, hasUnits: boolean, aliases: readonly string[]): CompiledCommand {
  const strict = hasUnits || aliases.length > 0
  const template = (text: string, name: string) => compileTemplate(text, { name: `params.${name}`, aliases, strict })
  return {
    argv: (params.argv ?? []).map((text, position) => template(text, `argv[${position}]`)),
    cwd: params.cwd === undefined ? undefined : template(params.cwd, 'cwd'),
    env: Object.entries(params.env ?? {}).map(([name, text]) => [name, template(text, `env.${name}`)]),
    stdin: params.stdin === undefined ? undefined : template(params.stdin, 'stdin'),
  }
}

/**
 * A value that stands at the beginning of an argument and begins with "-" would be an option of the program: units come from
 * files and directories of other people. Behind a literal "--" no program reads options.
 */
function renderArgument(argv: readonly Template[], position: number, scope: TemplateScope): string {
  const template = argv[position]
  if (template === undefined) return ''
  const [beginning] = template.parts
  const mayBeOption =
    position > 0 &&
    beginning !== undefined &&
    typeof beginning !== 'string' &&
    !argv.slice(0, position).some(({ parts }) => parts.length === 1 && parts[0] === '--')
  if (mayBeOption) refuseOption(template, beginning, scope)
  return renderTemplate(template, scope)
}

const number = /^-(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/** What the placeholders at the beginning give together: an empty one in front hides nothing. Text ends it. */
function leadingValue(template: Template, scope: TemplateScope): Json {
  let leading: Json = ''
  for (const part of template.parts) {
    if (typeof part === 'string') return leading
    leading = placeholderValue(template, part, scope)
    if (leading !== '') return leading
  }
  return leading
}

function refuseOption(template: Template, beginning: Placeholder, scope: TemplateScope): void {
  const value = leadingValue(template, scope)
  if (typeof value !== 'string' || !value.startsWith('-') || number.test(value)) return
  throw new QueueError(
    'invalid_input',
    `${beginning.text} in ${template.name} is ${JSON.stringify(value.slice(0, 100))}, which the program would read as an option`,
    { remedy: `Put "--" in argv before it if the program knows that, or write "./${beginning.text}" for a file.` },
  )
}

const scriptPlaceholder = /\{\{\s*(unit|index|job|attempt|dependencies)\s*[.[}]/

const scriptRemedy =
  'Use "$NIGHTKILN_UNIT" or a field such as "$NIGHTKILN_UNIT_PATH", in double quotes; NIGHTKILN_UNIT_FILE and NIGHTKILN_DEPENDENCIES_FILE name files with the whole JSON.'

function refusePlaceholdersInScript(script: string | undefined): void {
  const found = script === undefined ? null : scriptPlaceholder.exec(script)
  if (found === null) return
  throw new QueueError(
    'invalid_input',
    `params.script holds the placeholder ${found[0].trim()}… at character ${found.index + 1}: a value in a script would be run as code`,
    { remedy: scriptRemedy },
  )
}

const shells = /(^|[\\/])(ash|bash|busybox|csh|dash|fish|ksh|mksh|rbash|sh|tcsh|yash|zsh)(\.exe)?$/
/** A cluster of short options with `c` among them, such as -c, -ec or -ce. */
const scriptFlag = /^[-+][A-Za-z]*c[A-Za-z]*$/

/** The text behind `sh -c` is a script too. */
function refuseShellCode(argv: readonly Template[]): void {
  const texts = argv.map(({ parts }) => (parts.length === 1 && typeof parts[0] === 'string' ? parts[0] : null))
  const shell = texts.findIndex((text) => text !== null && shells.test(text))
  const flag = shell === -1 ? -1 : texts.findIndex((text, at) => at > shell && text !== null && scriptFlag.test(text))
  if (flag === -1) return
  // Further options may stand between the flag and the script; a placeholder among them could be one.
  for (const [position, template] of argv.entries()) {
    if (position <= flag) continue
    if (placeholdersOf(template).length > 0) {
      throw new QueueError(
        'invalid_input',
        `${template.name} is a script with the placeholder ${placeholdersOf(template)[0]?.text}: a value in a script would be run as code`,
        { remedy: `Pass it as an argument: ["sh","-c","echo \\"$1\\"","sh","{{unit}}"]. ${scriptRemedy}` },
      )
    }
    if (!/^[-+]/.test(texts[position] ?? '')) return
  }
}
