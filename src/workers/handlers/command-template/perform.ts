import type { HandlerContext, Json } from '../../../handler/index.ts'
import { z } from '../../../handler/index.ts'
import { LineReader } from './line-reader.ts'

/** Of what the program said last, in the error when it fails. */
const lastLines = 10
const longestLine = 400

const progressLine = z.object({
  current: z.number(),
  total: z.number().nullable().default(null),
  message: z.string().nullable().default(null),
  stage: z.string().nullable().default(null),
})
const deviceLine = z.object({ name: z.string().min(1), kind: z.enum(['gpu', 'software', 'cpu']) })
const messageLine = z.union([
  z.strictObject({ progress: progressLine }),
  z.strictObject({ checkpoint: z.json() }),
  z.strictObject({ device: deviceLine }),
  z.strictObject({ result: z.json() }),
])

/** The program, and what it gets as one JSON on its stdin. */
export const templateParams = z.strictObject({
  argv: z.array(z.string()).min(1),
  request: z.record(z.string(), z.json()),
})

type Context = Pick<
  HandlerContext<z.output<typeof templateParams>>,
  'params' | 'spawn' | 'progress' | 'checkpoint' | 'reportDevice' | 'compute'
>

/**
 * Runs the program and takes a message a line from its stdout; every other line is log.
 * @returns its last result
 * @throws Error with its last lines when it fails or gives no result
 */
export async function runProgram(context: Context): Promise<Json> {
  const { argv, request } = context.params
  const [program = '', ...args] = argv
  const said: string[] = []
  const results: Json[] = []
  const tell = (line: string): void => {
    process.stdout.write(`${line}\n`)
    said.push(line.slice(0, longestLine))
    if (said.length > lastLines) said.shift()
  }
  const take = (line: string): void => {
    const told = messageOf(line)
    if (told === null) tell(line)
    else if ('progress' in told) {
      const { current, total, message, stage } = told.progress
      context.progress(current, total, message, stage)
    } else if ('checkpoint' in told) context.checkpoint(told.checkpoint)
    else if ('device' in told) context.reportDevice(told.device.name, told.device.kind)
    else results.push(told.result)
  }
  const lines = { stdout: new LineReader(take), stderr: new LineReader(tell) }
  const { exitCode, signal } = await context.spawn(program, args, {
    stdin: `${JSON.stringify({ ...request, compute: context.compute })}\n`,
    maxOutputBytes: 1,
    onOutput: (text, stream) => lines[stream].add(text),
  })
  lines.stdout.end()
  lines.stderr.end()
  if (exitCode !== 0) {
    const how = exitCode === null ? `was ended by ${signal ?? 'a signal'}` : `exited ${exitCode}`
    throw new Error([`${program} ${how}`, ...said].join('\n'))
  }
  const result = results.at(-1)
  if (result === undefined) throw new Error([`${program} ended without a {"result": …} line`, ...said].join('\n'))
  return result
}

function messageOf(line: string): z.infer<typeof messageLine> | null {
  if (!line.startsWith('{')) return null
  try {
    const parsed = messageLine.safeParse(JSON.parse(line))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}
