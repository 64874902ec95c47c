import { QueueError } from '../../domain/errors.ts'
import { type ClientName, clientNames } from './client-files.ts'

export interface SetupOptions {
  readonly client?: readonly string[]
  readonly file?: string
  readonly http?: true | string
  readonly project?: boolean
  readonly dryRun?: boolean
  readonly print?: boolean
  readonly remove?: boolean
}

export const clientChoices = [...clientNames, 'generic'] as const

/**
 * @returns the clients that were named; `generic`: one that setup does not know
 * @throws QueueError invalid_input for options that do not go together
 */
export function clientsOf(options: SetupOptions): { clients: ClientName[]; generic: boolean } {
  const refuse = (message: string, remedy: string): never => {
    throw new QueueError('invalid_input', message, { remedy })
  }
  if (options.print === true && (options.remove === true || options.dryRun === true)) {
    const other = options.remove === true ? '--remove' : '--dry-run'
    refuse(`--print and ${other} were given together`, 'Leave out one of them: --print reads and changes nothing.')
  }
  const given = options.client ?? []
  const unknown = given.find((name) => !clientChoices.some((client) => client === name))
  if (unknown !== undefined) {
    refuse(
      `setup knows no client "${unknown}"`,
      `Name one of ${clientChoices.join(', ')}; generic stands for any other.`,
    )
  }
  const generic = given.includes('generic') || (given.length === 0 && (options.file ?? options.http) !== undefined)
  const clients = clientNames.filter((client) => given.includes(client))
  if (generic && clients.length > 0)
    refuse('generic was given with other clients', 'Run setup once for generic and once for the others.')
  if (generic && options.project === true)
    refuse('--project has no meaning for generic', 'Name the file of the project with --file.')
  if (generic && options.remove === true && options.file === undefined)
    refuse('--remove does not know the file of a generic client', 'Name it with --file.')
  for (const [name, value] of Object.entries({ file: options.file, http: options.http })) {
    if (value !== undefined && !generic)
      refuse(
        `--${name} was given for ${clients.join(', ')}`,
        `--${name} goes with generic only: nightkiln setup generic --${name} …`,
      )
  }
  if (options.project === true && clients.includes('claude-desktop'))
    refuse('Claude Desktop has no configuration of a project', 'Leave out --project.')
  return { clients, generic }
}
