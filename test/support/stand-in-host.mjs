// A stand-in for the thread host: it speaks the protocol and does with an attempt what its unit says, without any thread.
//   unit.do: return | wait | deaf | last_words | die | mute | close | garbage | garbage_again | lose | bad_end | bad_progress | journal | children
// <home>/stand-in.json says how it starts: { "start": "die" | "never", "protocol": 9 }.
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

const order = JSON.parse(process.argv[2])
const planFile = join(order.home, 'stand-in.json')
const plan = existsSync(planFile) ? JSON.parse(readFileSync(planFile, 'utf8')) : {}
const protocol = plan.protocol ?? 1
const noOutput = { bytes: 0, droppedBytes: 0, tail: '' }
/** By key: { phase, item, startedAt, end } */
const attempts = new Map()
const jobs = new Map()
let connection = null
let isMute = false
let isGarbled = false
let isToldToEnd = false

if (plan.start === 'die') {
  process.stderr.write('first line\nFATAL ERROR: told to die at its start\n    at nowhere\n')
  process.exit(3)
}

function frameOf(messages) {
  const text = Buffer.from(JSON.stringify(messages))
  const header = Buffer.alloc(4)
  header.writeUInt32BE(text.length)
  return Buffer.concat([header, text])
}

function say(message) {
  if (!isMute) connection?.write(frameOf([message]))
}

function note(line) {
  appendFileSync(join(order.directory, 'heard.jsonl'), `${JSON.stringify(line)}\n`)
}

function end(key, ending) {
  const attempt = attempts.get(key)
  if (attempt === undefined || attempt.phase === 'ended') return
  attempt.phase = 'ended'
  attempt.end = { elapsedMs: Math.round(performance.now() - attempt.startedAt), ...ending }
  if (connection === null) {
    appendFileSync(join(order.directory, 'ends.jsonl'), `${JSON.stringify({ key, end: attempt.end })}\n`)
  } else say({ kind: 'ended', items: [{ key, end: attempt.end }] })
}

function directoryOf(key) {
  const directory = join(order.attempts, key)
  mkdirSync(directory, { recursive: true })
  return directory
}

function die(signal = 'SIGKILL') {
  process.kill(process.pid, signal)
  for (;;);
}

const doings = {
  return: ({ key }, { value = null }) =>
    end(key, { kind: 'completed', result: value, artifacts: [], output: noOutput }),
  fail: ({ key }, { message }) =>
    end(key, {
      kind: 'failed',
      error: { code: 'handler_failed', message, remedy: 'none' },
      retry: 'policy',
      output: noOutput,
    }),
  wait: () => undefined,
  deaf: () => undefined,
  die: (_, { signal }) => die(signal),
  last_words: ({ key }, { words, culprit }) => {
    const named = culprit === undefined ? null : { key, end: { ...culprit, elapsedMs: 1, output: noOutput } }
    writeFileSync(join(order.directory, 'last-words.json'), JSON.stringify({ culprit: named, ...words }))
    die()
  },
  mute: () => {
    isMute = true
  },
  close: () => {
    server.close()
    connection?.destroy()
  },
  garbage: () => connection?.write(Buffer.from([0, 0, 0, 5, 1, 2, 3, 4, 5])),
  garbage_again: () => {
    isGarbled = true
    doings.garbage()
  },
  lose: ({ key }) => attempts.delete(key),
  bad_end: ({ key }) => say({ kind: 'ended', items: [{ key, end: { kind: 'completed', result: 1 } }] }),
  bad_progress: ({ key }) => say({ kind: 'progress', items: [{ key, progress: 'half' }] }),
  progress: ({ key }, { progress }) => say({ kind: 'progress', items: [{ key, progress, elapsed_ms: 1234 }] }),
  children: ({ key }, { pids }) => {
    const own = spawn('sleep', ['600'], { stdio: 'ignore' })
    const [unitId, attempt, nonce] = key.split('.')
    const { NIGHTKILN_HOST_ID: _, ...environment } = process.env
    const marks = { NIGHTKILN_ATTEMPT_UNIT: unitId, NIGHTKILN_FENCE: `${attempt}.${nonce}`, NIGHTKILN_PROCESS: '' }
    const marked = spawn('sleep', ['600'], { stdio: 'ignore', detached: true, env: { ...environment, ...marks } })
    const daemon = spawn('sleep', ['600'], { stdio: 'ignore', detached: true })
    writeFileSync(pids, [own.pid, marked.pid, daemon.pid].join('\n'))
  },
}

function run(item) {
  const unit = item.unit ?? {}
  attempts.set(item.key, { phase: 'running', item, startedAt: performance.now(), end: null })
  if (unit.checkpoint !== undefined) {
    writeFileSync(join(directoryOf(item.key), 'checkpoint.json'), JSON.stringify(unit.checkpoint))
  }
  if (unit.output !== undefined) writeFileSync(join(directoryOf(item.key), 'output'), unit.output)
  if (unit.says !== undefined) process.stderr.write(unit.says)
  const act = () => doings[unit.do ?? 'return'](item, unit)
  if (unit.after_ms === undefined) act()
  else setTimeout(act, unit.after_ms)
}

function hear(message, from) {
  note(message)
  if (message.kind === 'hello') {
    if (connection !== from) connection?.destroy()
    connection = from
    jobs.clear()
    const list = [...attempts].map(([key, { phase }]) => ({ key, phase }))
    const { threads, version, host_id } = order
    say({ kind: 'welcome', protocol, host_id, version: plan.version ?? version, threads, attempts: list })
    if (isGarbled) doings.garbage()
    for (const [key, attempt] of attempts) {
      if (attempt.phase === 'ended') say({ kind: 'ended', items: [{ key, end: attempt.end }] })
    }
  } else if (message.kind === 'job') jobs.set(message.job.job_key, message.job)
  else if (message.kind === 'forget') for (const key of message.job_keys) jobs.delete(key)
  else if (message.kind === 'run') {
    if (!jobs.has(message.job_key)) throw new Error(`the job ${message.job_key} was not declared`)
    for (const item of message.items) run(item)
  } else if (message.kind === 'stop') {
    const attempt = attempts.get(message.key)
    if (attempt?.item.unit?.do === 'deaf') return
    end(message.key, { kind: 'stopped', reason: message.reason, survivors: [], output: noOutput })
  } else if (message.kind === 'acknowledge') for (const key of message.keys) attempts.delete(key)
  else if (message.kind === 'ping') {
    const running = [...attempts].filter(([, { phase }]) => phase === 'running')
    const list = running.map(([key, one]) => ({
      key,
      elapsed_ms: Math.round(performance.now() - one.startedAt),
      silent_ms: 7,
    }))
    const others = [...attempts].flatMap(([key, { phase }]) => (phase === 'running' ? [] : [key]))
    say({ kind: 'pong', id: message.id, rss_bytes: process.memoryUsage.rss(), attempts: list, others })
  } else if (message.kind === 'end') isToldToEnd = true
  if (isToldToEnd && attempts.size === 0) {
    writeFileSync(
      join(order.directory, 'last-words.json'),
      JSON.stringify({ reason: 'told', culprit: null, message: 'told to end' }),
    )
    process.exit(0)
  }
}

const server = createServer((socket) => {
  let buffered = Buffer.alloc(0)
  socket.on('error', () => undefined)
  socket.on('close', () => {
    if (connection === socket) connection = null
  })
  socket.on('data', (piece) => {
    buffered = Buffer.concat([buffered, piece])
    while (buffered.length >= 4 && buffered.length >= 4 + buffered.readUInt32BE(0)) {
      const length = buffered.readUInt32BE(0)
      const messages = JSON.parse(buffered.toString('utf8', 4, 4 + length))
      buffered = buffered.subarray(4 + length)
      for (const message of messages) hear(message, socket)
    }
  })
})

const stat = readFileSync('/proc/self/stat', 'latin1')
const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
if (plan.start === 'never') setInterval(() => undefined, 60_000)
else {
  server.listen(order.socket, () => {
    const record = {
      host_id: order.host_id,
      pid: process.pid,
      start_time: startTime,
      boot_id: order.boot_id,
      socket: order.socket,
      protocol,
      version: plan.version ?? order.version,
      alone: order.alone,
    }
    writeFileSync(join(order.directory, 'host.json'), JSON.stringify(record))
    writeSync(3, '.')
  })
}
