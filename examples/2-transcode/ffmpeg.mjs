// A stand-in for ffmpeg: copies its input piece by piece in as many seconds as the file's first line says, and tells how far
// it is as ffmpeg does. Half-way it waits for INPUT.rest, so that the story knows where it is, however slow the machine.
// usage: ffmpeg.mjs -i INPUT OUTPUT
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const stepSeconds = 0.1
const [, input, output] = process.argv.slice(2)
const [seconds, text] = readFileSync(input, 'utf8').split('\n', 2)
const steps = Math.round(Number(seconds) / stepSeconds)

process.on('SIGTERM', () => process.exit(255))
process.stderr.write(`Input #0, mov, from '${input}':\n  Duration: ${clock(Number(seconds))}, start: 0.000000\n`)
writeFileSync(output, '')
for (let step = 1; step <= steps; step += 1) {
  await delay(stepSeconds * 1000)
  while (step > steps / 2 && !existsSync(`${input}.rest`)) await delay(20)
  const [from, to] = [step - 1, step].map((at) => Math.round((text.length * at) / steps))
  appendFileSync(output, text.slice(from, to).toUpperCase())
  process.stderr.write(`frame=${step * 3} fps=30 q=28.0 size=${to}kB time=${clock(step * stepSeconds)} speed=1x\r`)
}
process.stderr.write('\n')

function clock(time) {
  const part = (value, digits) => value.toFixed(digits).padStart(digits === 0 ? 2 : 5, '0')
  return `${part(Math.floor(time / 3600), 0)}:${part(Math.floor(time / 60) % 60, 0)}:${part(time % 60, 2)}`
}
