import type { Command } from 'commander'
import { QueueError } from '../../domain/errors.ts'
import {
  assertTokenName,
  defaultTokenName,
  ensureHttpTokens,
  type HttpToken,
  newHttpToken,
  readHttpTokens,
  writeHttpTokens,
} from '../../platform/http-tokens.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { renderTable } from '../display/table.ts'
import type { Session } from '../session.ts'

const usualUrl = 'http://127.0.0.1:8765/mcp'

export function tokenCommand(runner: CommandRunner): Command {
  const group = jsonCommand('token', 'Show and manage the tokens that clients show to nightkiln mcp --http')
  group.addCommand(
    jsonCommand('show', 'Show a token and how a client is given it; the first one is made when there is none')
      .argument('[name]', `token (default: ${defaultTokenName})`)
      .action(runner.act(show)),
    { isDefault: true },
  )
  group.addCommand(
    jsonCommand('create', 'Make a token for another client or person, and show it')
      .argument('<name>', 'whose it is, such as laptop')
      .action(runner.act(create)),
  )
  group.addCommand(jsonCommand('list', 'List the names of the tokens').action(runner.act(list)))
  group.addCommand(
    jsonCommand('remove', 'Remove a token; who shows it is refused from then on')
      .alias('rm')
      .argument('<name>', 'token')
      .action(runner.act(remove)),
  )
  group.addCommand(
    jsonCommand('rotate', 'Replace a token by a new one of the same name, and show it')
      .argument('[name]', `token (default: ${defaultTokenName})`)
      .action(runner.act(rotate)),
  )
  return group
}

/** The token alone goes to stdout, so that `$(nightkiln token)` works. */
function tell({ terminal, json }: Session, { name, token, created_at }: HttpToken): void {
  if (json) {
    terminal.value({ name, token, created_at })
    return
  }
  terminal.line(token)
  const shown = name === defaultTokenName ? 'nightkiln token' : `nightkiln token show ${name}`
  terminal.note('')
  terminal.note('Who has it can run programs as you. For Claude Code, on this machine:')
  terminal.note(`  claude mcp add --transport http nightkiln ${usualUrl} --header "Authorization: Bearer $(${shown})"`)
}

async function show(session: Session, _options: object, name: string = defaultTokenName): Promise<number> {
  const { httpTokens } = session.paths()
  tell(session, found(ensureHttpTokens(httpTokens, session.now()), name))
  return 0
}

async function create(session: Session, _options: object, name: string): Promise<number> {
  assertTokenName(name)
  const { httpTokens } = session.paths()
  const tokens = readHttpTokens(httpTokens)
  if (tokens.some((one) => one.name === name)) {
    throw new QueueError('invalid_input', `there is a token named "${name}" already`, {
      remedy: `Choose another name, or replace it: nightkiln token rotate ${name}`,
    })
  }
  const made = newHttpToken(name, session.now())
  writeHttpTokens(httpTokens, [...tokens, made])
  tell(session, made)
  return 0
}

async function list(session: Session): Promise<number> {
  const { terminal, json } = session
  const tokens = readHttpTokens(session.paths().httpTokens).map(({ name, created_at }) => ({ name, created_at }))
  if (json) terminal.value({ tokens })
  else if (tokens.length === 0) terminal.note('there is no token yet; nightkiln token makes one')
  else {
    terminal.line(
      renderTable(
        [
          { title: 'name', text: ({ name }) => name },
          { title: 'made', text: ({ created_at }) => created_at },
        ],
        tokens,
        terminal,
      ),
    )
  }
  return 0
}

async function remove(session: Session, _options: object, name: string): Promise<number> {
  const { httpTokens } = session.paths()
  const tokens = readHttpTokens(httpTokens)
  const gone = found(tokens, name)
  writeHttpTokens(
    httpTokens,
    tokens.filter((one) => one !== gone),
  )
  if (session.json) session.terminal.value({ removed: name })
  else session.terminal.line(`removed: ${name}`)
  return 0
}

async function rotate(session: Session, _options: object, name: string = defaultTokenName): Promise<number> {
  const { httpTokens } = session.paths()
  const tokens = readHttpTokens(httpTokens)
  const old = found(tokens, name)
  const made = newHttpToken(name, session.now())
  writeHttpTokens(
    httpTokens,
    tokens.map((one) => (one === old ? made : one)),
  )
  tell(session, made)
  return 0
}

function found(tokens: readonly HttpToken[], name: string): HttpToken {
  const one = tokens.find((token) => token.name === name)
  if (one !== undefined) return one
  const names = tokens.map((token) => token.name).join(', ')
  throw new QueueError('invalid_input', `there is no token named "${name}"`, {
    remedy: `${names === '' ? 'There is none at all.' : `There are: ${names}.`} Make one with: nightkiln token create NAME`,
  })
}
