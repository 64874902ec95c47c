import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { writeFileAtomic } from '../../platform/atomic-file.ts'
import type { ProcessIdentity } from '../../platform/process-identity.ts'

/**
 * Writes the script that a command's runner calls at its end: when this manager is gone by then, it starts the next one
 * (DESIGN §10.21). The living manager is recognised by pid and, where /proc is there, start time. The marks of the attempt are
 * dropped, so that the manager is never taken for a process of the job.
 */
export function writeHealScript(file: string, manager: ProcessIdentity, environment: Readonly<Record<string, string | undefined>>): void {
  const entry = fileURLToPath(new URL('./heal-main.js', import.meta.url))
  const home = environment['NIGHTKILN_HOME']
  const lines = [
    '#!/bin/sh',
    '# Starts the next manager when this one is gone. Written anew by every manager, removed by one that is stopped.',
    `if kill -0 ${manager.pid} 2>/dev/null; then`,
    `  [ -r /proc/${manager.pid}/stat ] || exit 0`,
    `  IFS= read -r stat </proc/${manager.pid}/stat || stat=`,
    '  set -f; set -- ${stat##*) }',
    `  [ "$1" != Z ] && [ "\${20}" = ${quote(manager.startTime)} ] && exit 0`,
    'fi',
    'unset NIGHTKILN_INSTANCE NIGHTKILN_JOB_ID NIGHTKILN_UNIT NIGHTKILN_ATTEMPT NIGHTKILN_FENCE NIGHTKILN_HOME',
    ...(home === undefined || home === '' ? [] : [`NIGHTKILN_HOME=${quote(home)}; export NIGHTKILN_HOME`]),
    'NIGHTKILN_PROCESS=launcher; export NIGHTKILN_PROCESS',
    `exec ${quote(process.execPath)} ${quote(entry)}`,
    '',
  ]
  writeFileAtomic(file, lines.join('\n'))
}

/** A stopped manager is not to be healed. */
export function removeHealScript(file: string): void {
  rmSync(file, { force: true })
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
