import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { handlerDirectory } from '../../config/handler-directory.ts'
import { QueueError } from '../../domain/errors.ts'
import { handlerInfo } from '../../domain/handler-info.ts'
import type { ListJobTypesAnswer } from '../../domain/wire/jobs.ts'
import { packageLinks } from '../../platform/package-links.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { type WrittenFile, writeHandler } from '../new-handler/write-handler.ts'
import type { Session } from '../session.ts'

interface Options {
  readonly js?: true
}

export function newHandlerCommand(runner: CommandRunner): Command {
  return jsonCommand(
    'new-handler',
    'Write a job type of your own: a small handler that works, with a test, to be changed',
  )
    .argument('<name>', 'name of the job type, such as resize_images')
    .option('--js', 'JavaScript instead of TypeScript')
    .action(runner.act(newHandler))
}

async function newHandler(session: Session, options: Options, name: string): Promise<number> {
  const { terminal } = session
  checkName(name)
  const directory = handlerDirectory(session.paths())
  const known = await knownTypes(session)
  if (known?.types.some((type) => type.type === name) === true) {
    throw new QueueError('invalid_input', `there is a job type "${name}" already`, {
      remedy: 'Choose another name; nightkiln types shows all of them. Nothing was written.',
    })
  }
  const language = options.js === true ? 'js' : 'ts'
  const files = writeHandler(directory, name, language)
  for (const link of packageLinks(directory, true)) {
    if (link.state === 'failed')
      terminal.note(`warning: ${link.name} cannot be linked into node_modules: ${link.problem}`)
  }
  const problem = (await knownTypes(session))?.unavailable.find(({ file }) => file === files[0]?.path)?.problem ?? null
  const test = `node ${language === 'ts' ? '--import tsx ' : ''}--test ${name}.test.${language}`
  if (session.json) terminal.value({ type: name, directory, files, test_command: test, problem })
  else tell(session, { name, directory, files, test, problem })
  return 0
}

function checkName(name: string): void {
  if (handlerInfo.shape.type.safeParse(name).success) return
  throw new QueueError('invalid_input', `"${name}" cannot be the name of a job type`, {
    remedy: 'Use lower case letters, digits, "_" and "-", with a letter first: resize_images.',
  })
}

/** Null when no manager can be asked: the files are written all the same. */
async function knownTypes(session: Session): Promise<ListJobTypesAnswer | null> {
  try {
    return await session.client().call('list_job_types', {}, { signal: session.interrupted })
  } catch (error) {
    if (session.interrupted.aborted) throw error
    return null
  }
}

interface Written {
  readonly name: string
  readonly directory: string
  readonly files: readonly WrittenFile[]
  readonly test: string
  readonly problem: string | null
}

function tell({ terminal }: Session, { name, directory, files, test, problem }: Written): void {
  const { colors } = terminal
  for (const { path, made } of files) terminal.line(`${made ? colors.green('made') : colors.dim('kept')}  ${path}`)
  if (problem !== null) terminal.problem(`${colors.red('it cannot be used yet:')} ${terminal.harmless(problem)}`)
  terminal.line()
  terminal.line('Next:')
  terminal.line(`  edit ${files[0]?.path ?? ''}`)
  terminal.line(`  cd ${quoted(directory)} && ${test}`)
  terminal.line(`  nightkiln types ${name}`)
  terminal.line(`  nightkiln submit --type ${name} --param file=/path/of/a.txt --wait`)
  terminal.line(`The editor knows Node after: cd ${quoted(directory)} && npm install --save-dev @types/node`)
  terminal.line(
    '  (npm install removes the links nightkiln, tsx and zod there; the next nightkiln types brings them back)',
  )
  const guide = fileURLToPath(new URL('../../../docs/guides/handlers.md', import.meta.url))
  if (existsSync(guide)) terminal.line(`All about handlers: ${guide}`)
}

function quoted(path: string): string {
  return /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
