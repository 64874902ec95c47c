import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** `nightkiln` as an absolute command, for scripts that run inside a job. */
export const nightkiln = [process.execPath, main]

/**
 * Runs one command of the command line with --json.
 * @param args without "nightkiln" and without --json
 * @param exitCodes those that are expected; null: any
 * @returns {exitCode, answer, problem}: the JSON it printed, null when none; its error text
 * @throws Error for another exit code
 */
export async function commandLine(args, { environment, cwd, exitCodes = [0] }) {
  const child = spawn(process.execPath, [main, '--json', ...args], {
    cwd,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [output, problem, exitCode] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    new Promise((resolve) => child.once('close', resolve)),
  ])
  if (exitCodes !== null && !exitCodes.includes(exitCode)) {
    throw new Error(
      `nightkiln ${args.slice(0, 2).join(' ')} … ended with ${exitCode}: ${problem.trim() || output.trim()}`,
    )
  }
  return { exitCode, answer: output.trim() === '' ? null : JSON.parse(output), problem: problem.trim() }
}

async function textOf(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
