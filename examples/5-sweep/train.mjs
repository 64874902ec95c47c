// A stand-in for a training run: its loss is smallest at learning rate 0.01 and depth 6. usage: train.mjs RATE DEPTH OFFSET
import { appendFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const [rate, depth, offset] = process.argv.slice(2).map(Number)
const { LEDGER, NIGHTKILN_JOB_ID: job, NIGHTKILN_UNIT_INDEX: index, NIGHTKILN_RESULT: result } = process.env

appendFileSync(LEDGER, `start ${job} ${index}\n`)
for (let epoch = 1; epoch <= 3; epoch += 1) {
  await delay(200)
  console.log(JSON.stringify({ current: epoch, total: 3, message: 'epochs' }))
}
const loss = Math.log10(rate / 0.01) ** 2 + ((depth - 6) / 4) ** 2 + offset ** 2 + 0.1
writeFileSync(result, JSON.stringify({ loss: Number(loss.toFixed(4)), rate, depth, offset }))
appendFileSync(LEDGER, `end ${job} ${index}\n`)
