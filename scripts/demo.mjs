// npm run demo: builds if needed, then runs the demo that ships.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './ensure-built.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const built = ensureBuilt()
if (built !== 0) process.exit(built)
const entry = join(root, 'dist', 'cli', 'main.js')
const demo = spawnSync(process.execPath, [entry, 'demo', ...process.argv.slice(2)], { stdio: 'inherit' })
process.exit(demo.status ?? 1)
