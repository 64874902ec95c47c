import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { findNode } from '../../client/find-node.ts'
import { handlerDirectory } from '../../config/handler-directory.ts'
import { counted } from '../display/quantities.ts'
import type { Session } from '../session.ts'
import { type Check, checkNamed } from './check.ts'

const handlerProbe = z.object({
  files: z.int(),
  looked: z.boolean(),
  problem: z.string().nullable(),
  available: z.array(z.string()),
  broken: z.array(z.object({ file: z.string(), type: z.string(), problem: z.string() })),
  links: z.array(
    z.object({ name: z.string(), state: z.string(), version: z.string().nullable(), problem: z.string().nullable() }),
  ),
})
type HandlerProbe = z.infer<typeof handlerProbe>

const timeoutMs = 120_000
/** Files named in one line. */
const listedFiles = 5

/** The person's own job types: which can be used, which cannot and why. */
export function checkHandlers(session: Session): Check {
  const check = checkNamed('handlers', 'handlers')
  let directory: string
  try {
    directory = handlerDirectory(session.paths())
  } catch {
    // What is wrong with it is the finding of another check.
    return check.warning('not looked at: the configuration cannot be read', 'Correct the configuration first.')
  }
  if (!existsSync(directory)) return check.ok(`none (no ${directory}; nightkiln new-handler NAME makes it)`)
  const probe = runProbe(directory, session.environment)
  if (probe.problem !== null) {
    const command = /run: (.+)$/.exec(probe.problem)?.[1]
    return check.problem(probe.problem, command === undefined ? 'Make it a directory of your own.' : `Run: ${command}`)
  }
  if (!probe.looked) {
    if (probe.files === 0) return check.ok(`none in ${directory}`)
    return check.warning(
      `${directory}: ${counted(probe.files, 'file')} not looked at, since its node_modules has no link to this installation yet`,
      'Run nightkiln types: it makes the links and says what can be used.',
    )
  }
  return found(directory, probe)
}

function found(directory: string, { available, broken, links }: HandlerProbe): Check {
  const check = checkNamed('handlers', 'handlers')
  const text = [`${directory}: ${available.length} available`, ...links.flatMap(linkText)].join('; ')
  const [first] = broken
  if (first !== undefined) {
    if (broken.length === 1)
      return check.problem(
        `${text}; 1 cannot be used: ${basename(first.file)}: ${first.problem}`,
        `Correct ${first.file}; nightkiln types shows when it is well.`,
      )
    const names = broken.slice(0, listedFiles).map(({ file }) => basename(file))
    const more = broken.length > listedFiles ? ', …' : ''
    return check.problem(
      `${text}; ${broken.length} cannot be used: ${names.join(', ')}${more}`,
      'Run nightkiln types: it says why; correct the files, and it shows when they are well.',
    )
  }
  const failed = links.find(({ state }) => state === 'failed')
  if (failed === undefined) return check.ok(text)
  return check.warning(text, `Make ${directory}/node_modules writable, or install ${failed.name} there yourself.`)
}

function linkText({ name, state, version, problem }: HandlerProbe['links'][number]): string[] {
  if (state === 'own') return [`its own ${name} ${version ?? ''}`.trim()]
  return state === 'failed' ? [`${name} cannot be linked: ${problem ?? 'unknown'}`] : []
}

function runProbe(directory: string, environment: NodeJS.ProcessEnv): HandlerProbe {
  const child = spawnSync(findNode(environment), [probeProgram(), directory], {
    encoding: 'utf8',
    timeout: timeoutMs,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  })
  const line = child.stdout?.trim().split('\n').at(-1) ?? ''
  if (line !== '') return handlerProbe.parse(JSON.parse(line))
  const reason = child.error?.message ?? child.stderr.trim().split('\n').at(-1) ?? `code ${child.status}`
  throw new Error(`the handlers could not be looked at: ${reason}`)
}

function probeProgram(): string {
  const program = fileURLToPath(new URL('../../workers/handler-files/doctor-main.js', import.meta.url))
  // From source the built probe is started, as the launcher does with the manager.
  return import.meta.url.endsWith('.ts') ? program.replace(/([\\/])src([\\/]workers[\\/])/, '$1dist$2') : program
}
