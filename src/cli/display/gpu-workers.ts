import type { GpuWorkerStatus, GpuWorkerTest } from '../../domain/wire/gpu.ts'
import { forCommandLine } from './for-command-line.ts'
import { formatAge, formatBytes } from './quantities.ts'
import { renderTable } from './table.ts'
import type { Terminal } from './terminal.ts'

type Gpu = GpuWorkerStatus['gpus'][number]
type Seen = Pick<GpuWorkerStatus, 'gpus' | 'slots' | 'job_types'>

const shownTypes = 8
const fieldWidth = 10

const stateWords: Readonly<Record<GpuWorkerTest['state'], string>> = {
  connected: 'connected',
  busy: 'connected, busy',
  key_refused: 'key refused',
  key_missing: 'key missing',
  tls_problem: 'TLS problem',
  wrong_protocol: 'wrong protocol',
  unreachable: 'unreachable',
  no_gpu: 'no GPU',
}

/** True when jobs can run there, at once or soon. */
export function isUsable({ state }: Pick<GpuWorkerTest, 'state'>): boolean {
  return state === 'connected' || state === 'busy'
}

function megabytes(size: number): string {
  return formatBytes(size * 1024 ** 2)
}

/** @returns a GPU with its memory and driver, as far as they are known. */
function gpuText({
  name,
  software,
  memory_total_mb: total,
  memory_used_mb: used,
  driver_version: driver,
}: Gpu): string {
  const memory = total === null ? [] : [`${megabytes(total)}${used === null ? '' : ` (${megabytes(used)} used)`}`]
  return [
    software ? `${name} (software, no GPU)` : name,
    ...memory,
    ...(driver === null ? [] : [`driver ${driver}`]),
  ].join(', ')
}

function gpuNames({ gpus }: Seen): string {
  return gpus.map(({ name, software }) => (software ? `${name} (software)` : name)).join(', ')
}

function slotsText({ slots }: Seen): string {
  return slots === null ? '' : `${slots.free} of ${slots.total} free`
}

/** @returns the free places of now: what runs there of this queue takes one, whenever it was looked at */
function placesText({ slots, running }: GpuWorkerStatus): string {
  if (slots === null) return ''
  return `${Math.max(0, Math.min(slots.free, slots.total - running))} of ${slots.total} free`
}

function typesText({ job_types: types }: Seen): string {
  const more = types.length > shownTypes ? ` and ${types.length - shownTypes} more` : ''
  return types.slice(0, shownTypes).join(', ') + more
}

/** @returns how a worker stands, in a few words. */
function stateText(worker: GpuWorkerStatus, now: number): string {
  const again =
    worker.breaker === 'open' && worker.breaker_until !== null
      ? `; tried again ${formatAge(worker.breaker_until, now)}`
      : ''
  // Who is left alone for a while says so itself.
  if (worker.problem !== null) return worker.problem.includes('open until') ? worker.problem : worker.problem + again
  if (worker.reachable === null) return `not asked yet${again}`
  if (!worker.reachable) return `unreachable${again}`
  const isFull = worker.slots !== null && (worker.slots.free === 0 || worker.running >= worker.slots.total)
  return isFull ? 'busy' : 'ready'
}

function paintState(worker: GpuWorkerStatus, { colors }: Terminal): (text: string) => string {
  if (worker.problem !== null || worker.reachable === false) return colors.red
  return worker.reachable === null ? colors.dim : colors.green
}

/** @returns workers as a table: how they stand, their GPU, slots and what of this queue runs there. */
export function gpuWorkerTable(workers: readonly GpuWorkerStatus[], terminal: Terminal, now: number): string {
  return renderTable<GpuWorkerStatus>(
    [
      { title: 'GPU WORKER', text: ({ name }) => name },
      {
        title: 'STATE',
        text: (worker) => stateText(worker, now),
        paint: (worker) => paintState(worker, terminal),
        shrink: { order: 1, least: 11 },
      },
      {
        title: 'GPU',
        text: (worker) => gpuNames(worker) || (worker.reachable === true ? 'none' : ''),
        shrink: { order: 3, least: 12 },
        drop: 4,
      },
      { title: 'SLOTS', text: (worker) => (worker.reachable === true ? placesText(worker) : ''), drop: 5 },
      { title: 'RUNNING', text: ({ running }) => String(running), align: 'right', drop: 3 },
      { title: 'JOB TYPES', text: typesText, shrink: { order: 2, least: 10 }, drop: 2 },
      { title: 'URL', text: ({ url }) => url, shrink: { order: 4, least: 16 }, drop: 1 },
    ],
    workers,
    terminal,
  )
}

/** @returns one worker on one line of an overview. */
export function gpuWorkerLine(worker: GpuWorkerStatus, now: number): string {
  const running = worker.running === 0 ? '' : `${worker.running} of this queue`
  const gpus = gpuNames(worker) || (worker.slots === null ? '' : 'no GPU')
  // Slots as of the last answer say nothing about one that gives none.
  const slots = worker.reachable === true ? placesText(worker) : ''
  return `${worker.name}: ${[stateText(worker, now), gpus, slots, running].filter((part) => part !== '').join(', ')}`
}

/** @returns what a test of a connection found, as lines for a person. */
export function gpuTestLines(test: GpuWorkerTest, terminal: Terminal): string[] {
  const { colors } = terminal
  const paint = isUsable(test) ? colors.green : colors.red
  const latency = test.latency_ms === null ? '' : ` in ${Math.round(test.latency_ms)} ms`
  const lines = [
    `${colors.bold(test.name)}  ${paint(stateWords[test.state] + (isUsable(test) ? latency : ''))}  ${terminal.harmless(test.url)}`,
  ]
  const field = (name: string, value: string): void => {
    if (value !== '') lines.push(`  ${colors.dim(name.padEnd(fieldWidth))} ${terminal.harmless(value)}`)
  }
  const code = test.code === null || test.summary.includes(test.code) ? '' : ` (${test.code})`
  // The title and the fields below say it all.
  if (test.state !== 'connected') lines.push(`  ${terminal.harmless(forCommandLine(test.summary) + code)}`)
  if (test.remedy !== null) lines.push(`  ${terminal.harmless(forCommandLine(test.remedy))}`)
  for (const gpu of test.gpus) field('GPU', gpuText(gpu))
  if (test.state === 'connected' && test.mode === 'full' && test.gpus.length === 0) {
    field('GPU', 'none: attempts there are shown as "remote (cpu)"')
  }
  field('slots', slotsText(test))
  field('job types', typesText(test))
  field('version', [test.version ?? '', test.mode === 'cog' ? 'plain Cog server' : ''].filter(Boolean).join(', '))
  return lines
}
