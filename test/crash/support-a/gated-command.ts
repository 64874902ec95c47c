import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LedgerCommand } from '../../support/ledger-command.ts'
import { readLedger } from '../../support/ledger-command.ts'
import { waitUntil } from '../../support/wait-until.ts'

export interface GatedCommand {
  readonly job: LedgerCommand
  /** Waits until the command wrote its start. */
  started(timeoutMs?: number): Promise<void>
  /** Lets the command end. */
  open(): void
  /** Waits until the command wrote its end; looks only at files. */
  ended(timeoutMs?: number): Promise<void>
}

/** A command that writes start and end to the ledger and runs until the test opens its gate: no guessed durations. */
export function gatedCommand(
  directory: string,
  name: string,
  options: { readonly ignoreTerm?: boolean } = {},
): GatedCommand {
  const line = (event: string): string =>
    `printf '%s %s %s %s %s\\n' ${name} ${event} "\${NIGHTKILN_ATTEMPT:-0}" "$$" "$(date +%s%3N)" >> ledger.txt`
  const wait = `until [ -e open-${name} ]; do sleep 0.03; done`
  const script = [
    ...(options.ignoreTerm === true ? ["trap '' TERM"] : []),
    line('start'),
    wait,
    line('end'),
    `echo "result ${name}"`,
  ].join('\n')
  const saw = (event: 'start' | 'end') =>
    readLedger(directory).some((entry) => entry.name === name && entry.event === event)
  return {
    job: { type: 'command', params: { shell: true, script, cwd: directory }, name },
    started: async (timeoutMs) => {
      await waitUntil(() => saw('start'), {
        what: `${name} to start`,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      })
    },
    open: () => {
      if (!existsSync(join(directory, `open-${name}`))) writeFileSync(join(directory, `open-${name}`), '')
    },
    ended: async (timeoutMs) => {
      await waitUntil(() => saw('end'), { what: `${name} to end`, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
    },
  }
}
