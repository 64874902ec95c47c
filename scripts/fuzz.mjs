// node scripts/fuzz.mjs [--frames 100000] [--seed N] [--transport stdio|http|all]
//
// Sends mutated frames to `nightkiln mcp` as it was built, with a state directory and a manager of its own, and prints one line
// of JSON for each part. Ends with 1 when a process died, a request was never answered, or a line was no message of the
// protocol; docs/fuzzing.md explains the figures. The same seed sends the same frames.
import { parseArgs } from 'node:util'
import { register } from 'tsx/esm/api'
import { ensureBuilt } from './ensure-built.mjs'

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    transport: { type: 'string', default: 'all' },
  },
})
const [frames, seed] = [Number(values.frames), Number(values.seed)]
if (!Number.isInteger(frames) || frames < 1 || !Number.isInteger(seed)) {
  process.stderr.write('--frames and --seed take whole numbers\n')
  process.exit(2)
}
if (!['stdio', 'http', 'all'].includes(values.transport)) {
  process.stderr.write(`--transport is stdio, http or all, not "${values.transport}"\n`)
  process.exit(2)
}
if (ensureBuilt() !== 0) process.exit(1)

register()
const { runFuzz } = await import('../test/fuzz/run-fuzz.ts')
process.stdout.write(`${JSON.stringify({ seed, frames, transport: values.transport })}\n`)
const sound = await runFuzz({ frames, seed, transport: values.transport }, (figures) => {
  process.stdout.write(`${JSON.stringify(figures)}\n`)
})
process.exit(sound ? 0 : 1)
