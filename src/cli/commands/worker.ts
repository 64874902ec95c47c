import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { QueueError } from '../../domain/errors.ts'
import { type CommandRunner, jsonCommand } from '../command-runner.ts'
import { integerOption } from '../option-values.ts'
import type { Session } from '../session.ts'
import { addConformanceCommand } from './worker-conformance.ts'

interface ServeOptions {
  readonly listen?: string
  readonly keyFile?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly slots?: string
  readonly commands?: string
  readonly handlers?: string
  readonly state?: string
  readonly allowSoftwareAdapter?: true
}

interface InitOptions {
  readonly tls?: true
  readonly directory?: string
  readonly host?: readonly string[]
}

const defaultListen = '127.0.0.1:7801'
const defaultPort = 7801

export function workerCommand(runner: CommandRunner): Command {
  const group = withServeOptions(
    new Command('worker')
      .summary('Serve the GPU of this machine to queues elsewhere')
      .description(
        'Serve the GPU of this machine to queues elsewhere: runs the same job types, and programs that you declare, for those who have the key.',
      ),
  )
    .enablePositionalOptions()
    .option('--state <dir>', 'state directory of the worker (default: a folder of the state directory)')
    .option('--allow-software-adapter', 'compute on a software adapter as if it were a GPU; for tests')
    .action(runner.act(serve))
  group.addCommand(
    jsonCommand('init', 'Make the key of a worker and, with --tls, its certificate')
      .option('--tls', 'make a certificate, too: needed to listen beyond this machine')
      .option('--directory <dir>', 'where the files go (default: the state directory of the worker)')
      .option('--host <name...>', 'names or addresses by which queues reach this machine')
      .action(runner.act(init)),
  )
  group.addCommand(
    withServeOptions(
      new Command('install-service')
        .summary('Print a systemd unit for this worker')
        .description('Print a systemd unit that starts this worker with the machine, as a user of its own.')
        .requiredOption('--print', 'print the unit; nothing is installed'),
    ).action(runner.act(installService)),
  )
  addConformanceCommand(group, runner)
  return group
}

function withServeOptions(command: Command): Command {
  return command
    .option('--listen <host:port>', `where to listen (default: ${defaultListen}, this machine alone)`)
    .option('--key-file <file>', 'key that queues must show; needed beyond this machine')
    .option('--tls-cert <file>', 'certificate, PEM; needed beyond this machine')
    .option('--tls-key <file>', 'key of the certificate, PEM')
    .option('--slots <n>', 'units at a time (default: 1)')
    .option('--commands <file>', 'JSON file with the programs that serve job types')
    .option('--handlers <dir>', 'folder with your own job types (default: that of this machine)')
}

async function serve(session: Session, options: ServeOptions): Promise<number> {
  const { terminal, cwd, environment } = session
  const { runWorker } = await import('../../gpu-worker/main.ts')
  const stop = new AbortController()
  const end = () => stop.abort()
  process.once('SIGTERM', end)
  session.interrupted.addEventListener('abort', end, { once: true })
  const path = (given: string | undefined) => (given === undefined ? null : resolve(cwd, given))
  try {
    await runWorker({
      home: path(options.state) ?? session.paths().gpuWorkerHome,
      listen: options.listen ?? defaultListen,
      keyFile: path(options.keyFile),
      tlsCert: path(options.tlsCert),
      tlsKey: path(options.tlsKey),
      slots: slotsOf(options),
      commands: path(options.commands),
      handlers: path(options.handlers) ?? session.paths().handlers,
      allowSoftwareAdapter: options.allowSoftwareAdapter === true,
      environment,
      signal: stop.signal,
      say: (line) => terminal.line(terminal.harmless(line)),
      warn: (line) => terminal.problem(terminal.harmless(line)),
    })
  } finally {
    process.off('SIGTERM', end)
  }
  return 0
}

function slotsOf({ slots }: ServeOptions): number {
  const number = slots === undefined ? 1 : integerOption('--slots', slots, 1)
  if (number > 64) {
    throw new QueueError('invalid_input', `--slots is ${number}, but must be 64 at most`)
  }
  return number
}

async function init(session: Session, options: InitOptions): Promise<number> {
  const { terminal, cwd, json } = session
  const { initWorker } = await import('../../gpu-worker/main.ts')
  const directory = options.directory === undefined ? session.paths().gpuWorkerHome : resolve(cwd, options.directory)
  const made = await initWorker({
    directory,
    tls: options.tls === true,
    hosts: options.host ?? [],
    now: session.now(),
  })
  const { keyFile, certFile, certKeyFile, hosts } = made
  const name =
    (options.host?.[0] ?? hostname())
      .split('.')[0]
      ?.toLowerCase()
      .replace(/[^a-z0-9_-]/g, '-') || 'rig'
  const url = certFile === null ? `http://127.0.0.1:${defaultPort}` : `https://${hosts[0]}:${defaultPort}`
  const listen = certFile === null ? defaultListen : `0.0.0.0:${defaultPort}`
  const local = '~/.config/nightkiln'
  const start = `nightkiln worker --listen ${listen} --key-file ${quoted(keyFile)}${
    certFile === null ? '' : ` --tls-cert ${quoted(certFile)} --tls-key ${quoted(certKeyFile ?? '')}`
  }`
  const add =
    certFile === null
      ? `nightkiln gpu add ${name} ${url} --key-file ${quoted(keyFile)}`
      : `nightkiln gpu add ${name} ${url} --ca-file ${local}/${name}-cert.pem --key-file ${local}/${name}.key`
  if (json) {
    terminal.value({ key_file: keyFile, cert_file: certFile, cert_key_file: certKeyFile, hosts, start, add })
    return 0
  }
  terminal.line(`made ${keyFile}${certFile === null ? '' : `, ${certFile} and ${certKeyFile}`}; only you can read them`)
  if (certFile !== null) terminal.line(`the certificate is for ${hosts.join(', ')}`)
  terminal.line()
  terminal.line('start the worker here:')
  terminal.line(`  ${start}`)
  if (certFile !== null) {
    terminal.line('copy the key and the certificate (not its key) to the machine with the queue:')
    terminal.line(`  mkdir -p -m 700 ${local}`)
    terminal.line(`  scp ${hosts[0]}:${quoted(keyFile)} ${local}/${name}.key`)
    terminal.line(`  scp ${hosts[0]}:${quoted(certFile)} ${local}/${name}-cert.pem`)
    terminal.line(`  chmod 600 ${local}/${name}.key`)
  }
  terminal.line('then add it there:')
  terminal.line(`  ${add}`)
  return 0
}

async function installService(session: Session, options: ServeOptions): Promise<number> {
  const { cwd, terminal } = session
  const { assertExposable, parseListen, serviceUnit } = await import('../../gpu-worker/main.ts')
  const listen = options.listen ?? defaultListen
  // A unit that systemd starts for ever in vain helps nobody.
  assertExposable(parseListen(listen), { key: options.keyFile !== undefined, tls: options.tlsCert !== undefined })
  const path = (given: string | undefined) => (given === undefined ? null : resolve(cwd, given))
  const entry = process.argv[1] ?? join(dirname(process.execPath), 'nightkiln')
  terminal.text(
    serviceUnit({
      node: process.execPath,
      entry,
      listen,
      keyFile: path(options.keyFile),
      tlsCert: path(options.tlsCert),
      tlsKey: path(options.tlsKey),
      commands: path(options.commands),
      handlers: path(options.handlers),
      slots: slotsOf(options),
    }),
  )
  return 0
}

function quoted(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
