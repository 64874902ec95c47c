import { type Command, Option } from 'commander'
import { errorKinds, QueueError } from '../../domain/errors.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { repeated } from '../option-values.ts'
import type { Session } from '../session.ts'
import {
  type ClientName,
  type ConfigurationTarget,
  clientConfigurations,
  clientNames,
  type SetupWorld,
  setupWorld,
} from '../setup/client-files.ts'
import { snippet } from '../setup/configuration-file.ts'
import { chosenTargets, runSetup, type SetupOutcome } from '../setup/run-setup.ts'
import { entryFor, makeServerEntry } from '../setup/server-entry.ts'
import { textDiff } from '../setup/text-diff.ts'

interface Options {
  readonly client?: readonly string[]
  readonly project?: boolean
  readonly dryRun?: boolean
  readonly print?: boolean
  readonly remove?: boolean
}

export function setupCommand(runner: CommandRunner): Command {
  return jsonCommand(
    'setup',
    'Write this server into the configuration of Claude Desktop, Claude Code, VS Code and Cursor',
  )
    .addOption(
      new Option('--client <name>', `only this client: ${clientNames.join(', ')}; repeatable`).argParser(repeated),
    )
    .option('--project', 'write the files of the project in the current folder instead of those of the user')
    .option('--dry-run', 'show what would change and change nothing')
    .option('--print', 'print the entries to copy by hand; reads and changes nothing')
    .option('--remove', 'take the server out again')
    .action(runner.act(setup))
}

async function setup(session: Session, options: Options): Promise<number> {
  const { terminal } = session
  if (options.print === true && (options.remove === true || options.dryRun === true)) {
    const other = options.remove === true ? '--remove' : '--dry-run'
    throw new QueueError('invalid_input', `--print and ${other} were given together`, {
      remedy: 'Leave out one of them: --print reads and changes nothing.',
    })
  }
  const world = setupWorld(session.environment, session.cwd)
  const scope = options.project === true ? 'project' : 'user'
  const clients = clientsOf(options.client ?? [], scope)
  const entry = makeServerEntry(world)
  if (options.print === true) {
    const targets = clientConfigurations(world, scope).filter(
      (target) => clients.length === 0 || clients.includes(target.client),
    )
    if (session.json)
      terminal.value(
        targets.map((target) => ({
          client: target.client,
          file: target.file,
          key: target.key,
          entry: entryFor(target, entry),
        })),
      )
    else
      for (const target of targets)
        terminal.line(`# ${target.title}: ${target.file}\n${snippet(target, entryFor(target, entry))}\n`)
    return 0
  }
  const request = {
    action: options.remove === true ? 'remove' : 'add',
    scope,
    clients,
    dryRun: options.dryRun === true,
    stamp: new Date(session.now()).toISOString().replace(/[-:]|\.\d+/g, ''),
  } as const
  const chosen = chosenTargets(world, request)
  const missing = clients.length > 0 ? [] : missingTargets(world, scope, chosen)
  if (chosen.length === 0 && request.action === 'add') {
    throw new QueueError('config_invalid', 'no MCP client was found', {
      remedy: `Name one: nightkiln setup --client ${clientNames[0]}; or copy the entry of nightkiln setup --print.`,
    })
  }
  const outcomes = runSetup(world, request, entry)
  if (session.json)
    terminal.value({
      dry_run: request.dryRun,
      entry,
      clients: outcomes.map(outcomeJson),
      not_found: missing.map((target) => target.client),
    })
  else {
    tell(session, outcomes, request.dryRun)
    if (request.action === 'remove' && outcomes.every((outcome) => outcome.result === 'unchanged'))
      terminal.line('nothing to remove')
    if (request.action === 'add') tellMissing(session, missing)
  }
  if (/[\\/]_npx[\\/]/.test(entry.args[0] ?? '')) {
    terminal.note(
      'warning: this program lies in the cache of npx, which may vanish; install it: npm install --global nightkiln',
    )
  }
  return outcomes.some((outcome) => outcome.result === 'failed') ? errorKinds.config_invalid.exitCode : 0
}

function clientsOf(given: readonly string[], scope: 'user' | 'project'): ClientName[] {
  return given.map((name) => {
    const known = clientNames.find((client) => client === name)
    if (known === undefined) {
      throw new QueueError('invalid_input', `--client is "${name}", but must be one of ${clientNames.join(', ')}`)
    }
    if (scope === 'project' && known === 'claude-desktop') {
      throw new QueueError('invalid_input', 'Claude Desktop has no configuration of a project', {
        remedy: 'Leave out --project.',
      })
    }
    return known
  })
}

/** @returns one file of every client that was not found, and so is left out. */
function missingTargets(
  world: SetupWorld,
  scope: 'user' | 'project',
  chosen: readonly ConfigurationTarget[],
): ConfigurationTarget[] {
  const found = new Set(chosen.map((target) => target.client))
  return clientConfigurations(world, scope).filter((target) => {
    const first = !found.has(target.client)
    found.add(target.client)
    return first
  })
}

function tellMissing({ terminal }: Session, missing: readonly ConfigurationTarget[]): void {
  for (const { title, client } of missing)
    terminal.note(`not found: ${title} (nightkiln setup --client ${client} writes it anyway)`)
}

function outcomeJson(outcome: SetupOutcome) {
  const { change, ...rest } = outcome
  return { ...rest, diff: change === null ? [] : textDiff(change.before ?? '', change.after) }
}

function tell(session: Session, outcomes: readonly SetupOutcome[], dryRun: boolean): void {
  const { terminal } = session
  const { colors } = terminal
  for (const outcome of outcomes) {
    const would = dryRun && outcome.change !== null ? 'would be ' : ''
    terminal.line(`${colors.bold(outcome.title)}  ${would}${outcome.result}  ${colors.dim(outcome.file)}`)
    if (outcome.error !== null) {
      terminal.problem(`  ${colors.red('error:')} ${terminal.harmless(outcome.error.message)}`)
      terminal.problem(`  ${outcome.error.remedy}`)
    }
    if (outcome.change !== null) {
      for (const line of textDiff(outcome.change.before ?? '', outcome.change.after)) {
        const paint = line.startsWith('+') ? colors.green : line.startsWith('-') ? colors.red : colors.dim
        terminal.line(`  ${paint(terminal.harmless(line))}`)
      }
    }
    if (outcome.backup !== null) terminal.line(`  the old file is kept: ${outcome.backup}`)
  }
  if (!dryRun && outcomes.some((outcome) => outcome.change !== null))
    terminal.note('restart the client to see the change')
}
