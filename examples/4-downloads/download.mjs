// Downloads one file, going on where an earlier attempt ended. usage: download.mjs URL FILE SHA256, with LEDGER
// Exit codes: 44 there is no such file, 75 the site has trouble, 65 the checksum is wrong.
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'

const [url, file, sha256] = process.argv.slice(2)
const part = `${file}.part`
const offset = existsSync(part) ? statSync(part).size : 0
appendFileSync(process.env.LEDGER, `start ${file} ${process.env.NIGHTKILN_ATTEMPT} ${process.pid} ${process.ppid}\n`)

const answer = await fetch(url, offset === 0 ? {} : { headers: { range: `bytes=${offset}-` } }).catch((error) => error)
if (!(answer instanceof Response)) end(75, `no answer: ${answer.message}`)
if (answer.status === 404) end(44, 'no such file (404)')
if (answer.status >= 500) end(75, `the site has trouble (${answer.status})`)
if (answer.status !== 206) writeFileSync(part, '')
let done = answer.status === 206 ? offset : 0
const total = done + Number(answer.headers.get('content-length'))
for await (const chunk of answer.body) {
  appendFileSync(part, chunk)
  done += chunk.length
  console.log(`progress: ${done}/${total} bytes`)
}
const found = createHash('sha256').update(readFileSync(part)).digest('hex')
if (found !== sha256) {
  rmSync(part)
  end(65, 'the checksum is wrong')
}
renameSync(part, file)
writeFileSync(process.env.NIGHTKILN_RESULT, JSON.stringify({ file, bytes: done, resumed_at: offset, sha256: found }))

function end(code, why) {
  console.error(`${url}: ${why}`)
  process.exit(code)
}
