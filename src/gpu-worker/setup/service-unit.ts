export interface ServiceUnitOptions {
  /** Absolute paths of node and of the command line. */
  readonly node: string
  readonly entry: string
  readonly listen: string
  /** Absolute; null: left out. */
  readonly keyFile: string | null
  readonly tlsCert: string | null
  readonly tlsKey: string | null
  readonly commands: string | null
  readonly handlers: string | null
  readonly slots: number
}

/** @returns a systemd unit: a user of its own, secrets as credentials that the service alone can read */
export function serviceUnit(options: ServiceUnitOptions): string {
  const { node, entry, listen, keyFile, tlsCert, tlsKey, commands, handlers, slots } = options
  const credentials = [
    ...(keyFile === null ? [] : [['key', keyFile, '--key-file'] as const]),
    ...(tlsCert === null ? [] : [['tls-cert', tlsCert, '--tls-cert'] as const]),
    ...(tlsKey === null ? [] : [['tls-key', tlsKey, '--tls-key'] as const]),
  ]
  const start = [
    quoted(node),
    quoted(entry),
    'worker',
    '--listen',
    quoted(listen),
    '--slots',
    String(slots),
    '--state',
    '%S/nightkiln-worker',
    ...credentials.flatMap(([name, , option]) => [option, `%d/${name}`]),
    ...(commands === null ? [] : ['--commands', quoted(commands)]),
    ...(handlers === null ? [] : ['--handlers', quoted(handlers)]),
  ]
  return `[Unit]
Description=Nightkiln GPU worker
After=network-online.target
Wants=network-online.target

[Service]
DynamicUser=yes
# WebGPU on AMD or Intel needs the render node:
# SupplementaryGroups=render
StateDirectory=nightkiln-worker
StateDirectoryMode=0700
Environment=HOME=%S/nightkiln-worker NIGHTKILN_HOME=%S/nightkiln-worker/home
${credentials.map(([name, file]) => `LoadCredential=${name}:${file}\n`).join('')}ExecStart=${start.join(' ')}
Restart=always
RestartSec=3
TimeoutStopSec=15
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
`
}

/** As systemd reads it. */
function quoted(word: string): string {
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$')
  return /^[\w@%+=:,./$[\]-]+$/.test(escaped) ? escaped : `"${escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
