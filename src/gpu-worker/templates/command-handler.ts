import { defineHandler, type HandlerContext, z } from '../../handler/index.ts'
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
const message = z.union([
  z.strictObject({ progress: progressLine }),
  z.strictObject({ checkpoint: z.json() }),
  z.strictObject({ device: deviceLine }),
  z.strictObject({ result: z.json() }),
])

const params = z.strictObject({
  argv: z.array(z.string()).min(1),
  request: z.record(z.string(), z.json()),
})

type Context = Pick<
  HandlerContext<z.output<typeof params>>,
  'params' | 'spawn' | 'progress' | 'checkpoint' | 'reportDevice' | 'compute'
>

/** Runs a program that the operator declared: the request as one JSON on its stdin, a JSON message a line on its stdout. */
const commandTemplate = defineHandler({
  type: 'command_template',
  title: 'Declared command',
  description: 'Runs a program that the operator of a GPU worker declared.',
  params,
  result: z.json(),
  run: (context) => runProgram(context),
})

export default commandTemplate

async function runProgram(context: Context): Promise<z.infer<ReturnType<typeof z.json>>> {
  const { argv, request } = context.params
  const [program = '', ...args] = argv
  const said: string[] = []
  let result: { readonly value: z.infer<ReturnType<typeof z.json>> } | null = null
  const tell = (line: string): void => {
    process.stdout.write(`${line}\n`)
    said.push(line.slice(0, longestLine))
    if (said.length > lastLines) said.shift()
  }
  const take = (line: string): void => {
    const told = messageOf(line)
    if (told === null) return tell(line)
    if ('progress' in told) {
      const { current, total, message: text, stage } = told.progress
      context.progress(current, total, text, stage)
    } else if ('checkpoint' in told) context.checkpoint(told.checkpoint)
    else if ('device' in told) context.reportDevice(told.device.name, told.device.kind)
    else result = { value: told.result }
  }
  const lines = { stdout: new LineReader(take), stderr: new LineReader(tell) }
  const ended = await context.spawn(program, args, {
    stdin: `${JSON.stringify({ ...request, compute: context.compute })}\n`,
    maxOutputBytes: 1,
    onOutput: (text, stream) => lines[stream].add(text),
  })
  lines.stdout.end()
  lines.stderr.end()
  if (ended.exitCode !== 0) {
    const how = ended.exitCode === null ? `was ended by ${ended.signal ?? 'a signal'}` : `exited ${ended.exitCode}`
    throw new Error([`${program} ${how}`, ...said].join('\n'))
  }
  const last = result as { readonly value: z.infer<ReturnType<typeof z.json>> } | null
  if (last === null) throw new Error([`${program} ended without a {"result": …} line`, ...said].join('\n'))
  return last.value
}

function messageOf(line: string): z.infer<typeof message> | null {
  if (!line.startsWith('{')) return null
  try {
    const parsed = message.safeParse(JSON.parse(line))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}
