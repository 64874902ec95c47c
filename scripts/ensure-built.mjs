// Builds dist/ when it is missing or older than src/. Run as a script, or import { ensureBuilt }.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const inputs = [
  'src',
  'scripts/build.mjs',
  'scripts/build-app.mjs',
  'scripts/bundle-front-end.mjs',
  'tsconfig.json',
  'tsconfig.build.json',
  'tsconfig.handler.json',
  'tsconfig.app.json',
  'package.json',
]
const lock = join(root, 'node_modules', '.nightkiln-build.lock')
const lockLifeMs = 180_000

function newest(path) {
  const stats = statSync(path)
  if (!stats.isDirectory()) return stats.mtimeMs
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

function modified(path) {
  try {
    return statSync(path).mtimeMs
  } catch {
    return 0
  }
}

/** True when dist/ was made from the sources as they are now. */
export function isBuilt() {
  const built = modified(join(root, 'dist'))
  if (built === 0 || modified(join(root, 'dist', 'cli', 'main.js')) === 0) return false
  return inputs.every((input) => newest(join(root, input)) <= built)
}

// Two test runs may start together; a build deletes dist/, so only one may build and the other waits for it.
function withLock(work) {
  const deadline = Date.now() + lockLifeMs
  for (;;) {
    try {
      mkdirSync(lock)
      break
    } catch {
      const age = Date.now() - modified(lock)
      if (age > lockLifeMs || Date.now() > deadline) rmSync(lock, { recursive: true, force: true })
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    }
  }
  try {
    return work()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

/** @returns exit status of the build, 0 when there was nothing to do */
export function ensureBuilt() {
  if (isBuilt()) return 0
  return withLock(() => {
    if (isBuilt()) return 0
    const build = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: ['ignore', 2, 2] })
    return build.status ?? 1
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(ensureBuilt())
