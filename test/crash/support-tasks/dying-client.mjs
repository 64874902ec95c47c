// A client in a process of its own: starts the front end named by its arguments, sends the request that it gets as a line on
// its stdin, prints { front_end_pid, answer } and then waits to be killed.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const [command, ...args] = process.argv.slice(2)
const frontEnd = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] })
createInterface({ input: frontEnd.stdout }).on('line', (line) => {
  const answer = JSON.parse(line)
  if (answer.id !== 'only') return
  process.stdout.write(`${JSON.stringify({ front_end_pid: frontEnd.pid, answer })}\n`)
})
process.stdin.on('data', (bytes) => frontEnd.stdin.write(bytes))
