// The command runner of Windows, untested. The same files as runner.sh: pid, gate, output, exit. Arguments as there.
// On `stop` it ends the tree itself: Windows has neither TERM nor sessions.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, openSync, renameSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [directory = '', heal = '', bootId = '-', , program = '', ...rest] = process.argv.slice(2)
const inside = (name: string): string => join(directory, name)

writeFileSync(inside('pid'), `pid ${process.pid} ${bootId}\n`)
mkdirSync(inside('gate'))
const output = openSync(inside('output'), 'a')
const input = existsSync(inside('stdin')) ? openSync(inside('stdin'), 'r') : 'ignore'
const command = spawn(program, rest, { stdio: [input, output, output], windowsHide: true })

const watcher = watch(directory, () => {
  if (existsSync(inside('stop'))) spawnSync('taskkill', ['/T', '/F', '/PID', String(command.pid)])
})

const finish = (code: number): void => {
  watcher.close()
  writeFileSync(inside('gate/exit'), `exit ${code & 255} ${bootId}\n`)
  renameSync(inside('gate/exit'), inside('exit'))
  if (!existsSync(heal)) return
  const environment = { ...process.env, NIGHTKILN_PROCESS: 'launcher' }
  spawn('cmd', ['/c', heal], { env: environment, detached: true, stdio: 'ignore', windowsHide: true }).unref()
}
command.on('error', () => finish(127))
command.on('exit', (code) => finish(code ?? 255))
