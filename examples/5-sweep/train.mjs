// A stand-in for a training run: its loss is smallest at learning rate 0.01 and depth 6. usage: train.mjs RATE DEPTH OFFSET
// With GATE, a file with a number: only so many units may end, so that the story decides, not the speed of the machine.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const [rate, depth, offset] = process.argv.slice(2).map(Number)
const { LEDGER, GATE, NIGHTKILN_JOB_ID: job, NIGHTKILN_UNIT_INDEX: index, NIGHTKILN_RESULT: result } = process.env

appendFileSync(LEDGER, `start ${job} ${index}\n`)
for (let epoch = 1; epoch <= 3; epoch += 1) {
  await delay(50)
  console.log(JSON.stringify({ current: epoch, total: 3, message: 'epochs' }))
}
while (GATE !== undefined && Number(index) >= Number(readFileSync(GATE, 'utf8'))) await delay(20)
const loss = Math.log10(rate / 0.01) ** 2 + ((depth - 6) / 4) ** 2 + offset ** 2 + 0.1
writeFileSync(result, JSON.stringify({ loss: Number(loss.toFixed(4)), rate, depth, offset }))
appendFileSync(LEDGER, `end ${job} ${index}\n`)
