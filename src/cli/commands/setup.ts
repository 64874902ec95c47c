import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { errorKinds, QueueError } from '../../domain/errors.ts'
import { defaultTokenName, ensureHttpTokens } from '../../platform/http-tokens.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { repeated } from '../option-values.ts'
import type { Session } from '../session.ts'
import {
  type ConfigurationTarget,
  clientConfigurations,
  clientNames,
  likelyTargets,
  type SetupWorld,
  setupWorld,
} from '../setup/client-files.ts'
import { chosenTargets, genericTarget, runSetup } from '../setup/run-setup.ts'
import { type Entry, makeHttpEntry, makeServerEntry, usualUrl } from '../setup/server-entry.ts'
import { clientChoices, clientsOf, type SetupOptions } from '../setup/setup-options.ts'
import { outcomeJson, printEntries, tellMissing, tellOutcomes } from '../setup/setup-report.ts'
import { withoutTokens } from '../setup/text-diff.ts'

const placeholder = 'TOKEN'

export function setupCommand(runner: CommandRunner): Command {
  return jsonCommand(
    'setup',
    'Write this server into the configuration of Claude Desktop, Claude Code, VS Code, Cursor or any MCP client',
  )
    .argument('[clients...]', 'the same as --client')
    .addOption(
      new Option('--client <name>', `only this client: ${clientChoices.join(', ')}; repeatable`).argParser(repeated),
    )
    .option('--file <path>', 'with generic: write the entry into this file instead of printing it')
    .option('--http [url]', `with generic: an entry for nightkiln mcp --http (default: ${usualUrl})`)
    .option('--project', 'write the files of the project in the current folder instead of those of the user')
    .option('--dry-run', 'show what would change and change nothing')
    .option('--print', 'print the entries to copy by hand; reads and changes nothing')
    .option('--remove', 'take the server out again')
    .action(runner.act(setup))
}

async function setup(session: Session, given: SetupOptions, names: readonly string[] = []): Promise<number> {
  const { terminal } = session
  const options = { ...given, client: [...names, ...(given.client ?? [])] }
  const world = setupWorld(session.environment, session.cwd)
  const { clients, generic } = clientsOf(options)
  const scope = options.project === true ? 'project' : 'user'
  const print = options.print === true || (generic && options.file === undefined)
  const entry = entryOf(session, options, world, print)
  if (print) {
    const targets = generic ? [genericTarget('')] : likelyTargets(clientConfigurations(world, scope))
    const named = targets.filter(
      ({ client }) => generic || clients.length === 0 || clients.some((one) => one === client),
    )
    printEntries(session, named, entry)
    tellPlaceholder(session, entry)
    return 0
  }
  const request = {
    action: options.remove === true ? 'remove' : 'add',
    scope,
    clients,
    dryRun: options.dryRun === true,
    stamp: new Date(session.now()).toISOString().replace(/[-:]|\.\d+/g, ''),
    ...(options.file === undefined ? {} : { file: resolve(session.cwd, options.file) }),
  } as const
  const chosen = chosenTargets(world, request)
  const missing = clients.length > 0 || generic ? [] : missingTargets(world, scope, chosen)
  if (chosen.length === 0 && request.action === 'add') {
    throw new QueueError('config_invalid', 'no MCP client was found', {
      remedy: `Name one: nightkiln setup ${clientNames[0]}; or copy the entry that nightkiln setup generic prints.`,
    })
  }
  const outcomes = runSetup(world, request, entry)
  if (session.json)
    terminal.value({
      dry_run: request.dryRun,
      entry: JSON.parse(withoutTokens(JSON.stringify(entry))),
      clients: outcomes.map(outcomeJson),
      not_found: missing.map((target) => target.client),
    })
  else {
    tellOutcomes(session, outcomes, request.dryRun)
    if (request.action === 'remove' && outcomes.every((outcome) => outcome.result === 'unchanged'))
      terminal.line('nothing to remove')
    if (request.action === 'add') {
      tellMissing(session, missing)
      tellPlaceholder(session, entry)
    }
  }
  if ('args' in entry && /[\\/]_npx[\\/]/.test(entry.args[0] ?? '')) {
    terminal.note(
      'warning: this program lies in the cache of npx, which may vanish; install it: npm install --global nightkiln',
    )
  }
  return outcomes.some((outcome) => outcome.result === 'failed') ? errorKinds.config_invalid.exitCode : 0
}

function tellPlaceholder({ terminal }: Session, entry: Entry): void {
  if ('headers' in entry && entry.headers['Authorization']?.endsWith(placeholder) === true)
    terminal.note(`In place of ${placeholder} belongs what nightkiln token shows on the machine of the server.`)
}

function entryOf(session: Session, options: SetupOptions, world: SetupWorld, print: boolean): Entry {
  if (options.http === undefined) return makeServerEntry(world)
  const url = options.http === true ? usualUrl : options.http
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    throw new QueueError('invalid_input', `--http is "${url}", which is not a URL`, {
      remedy: `Give the whole URL, such as ${usualUrl}.`,
    })
  }
  const { hostname } = new URL(url)
  // The tokens of this machine are no secret for another one to learn.
  const isOurs = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
  if (print || !isOurs || options.remove === true || options.dryRun === true) return makeHttpEntry(url, placeholder)
  const tokens = ensureHttpTokens(session.paths().httpTokens, session.now())
  const token = tokens.find(({ name }) => name === defaultTokenName) ?? tokens[0]
  if (token === undefined)
    throw new QueueError('config_invalid', 'there is no token', { remedy: 'Run nightkiln token.' })
  return makeHttpEntry(url, token.token)
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
