import { chmodSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { managerEnvironment } from '../../client/launcher.ts'
import { writeFileAtomic } from '../../platform/atomic-file.ts'
import type { ProcessIdentity } from '../../platform/process-identity.ts'

/**
 * Writes the script that a command's runner calls at its end: when this manager is gone by then, it starts the next one
 * (DESIGN §10.21). The living manager is recognised by pid and, where /proc is there, start time. The environment is this
 * manager's, not the command's: no mark by which the next manager could be taken for a process of the job, no HOME of the job.
 */
export function writeHealScript(file: string, manager: ProcessIdentity, home: string): void {
  const entry = fileURLToPath(new URL('./heal-main.js', import.meta.url))
  const environment = { ...managerEnvironment(home), NIGHTKILN_HOME: home, NIGHTKILN_PROCESS: 'launcher' }
  const assignments = Object.entries(environment)
    .filter(([name]) => !name.startsWith('NIGHTKILN_FAULT'))
    .map(([name, value]) => quote(`${name}=${value}`))
  const lines = [
    '#!/bin/sh',
    '# Starts the next manager when this one is gone. Written anew by every manager, removed by one that is stopped.',
    `if kill -0 ${manager.pid} 2>/dev/null; then`,
    `  [ -r /proc/${manager.pid}/stat ] || exit 0`,
    `  IFS= read -r stat </proc/${manager.pid}/stat || stat=`,
    '  set -f; set -- ${stat##*) }',
    `  [ "$1" != Z ] && [ "\${20}" = ${quote(manager.startTime)} ] && exit 0`,
    'fi',
    `cd ${quote(home)} || exit 0`,
    `exec env -i ${assignments.join(' ')} ${quote(process.execPath)} ${quote(entry)}`,
    '',
  ]
  writeFileAtomic(file, lines.join('\n'))
}

/** Writes the script by which a job calls this installation's command line: it may not be on the job's PATH. */
export function writeCommandLine(file: string): void {
  const entry = fileURLToPath(new URL('../../cli/main.js', import.meta.url))
  writeFileAtomic(file, `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(entry)} "$@"\n`)
  chmodSync(file, 0o700)
}

/** A stopped manager is not to be healed. */
export function removeHealScript(file: string): void {
  rmSync(file, { force: true })
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
