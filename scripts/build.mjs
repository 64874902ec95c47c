// Builds dist/ with plain tsc, the declarations of what handlers import, the front end in one file and the page of the MCP App, and
// copies what tsc does not know: SQL statements, the sh runner, templates.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildAppIfAny, bundleFrontEnd } from './bundle-front-end.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')

// `npm ci --omit=dev` and a published tarball have no compiler; the tarball already holds dist/.
const require = createRequire(import.meta.url)
let compiler
try {
  compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
} catch {
  if (existsSync(dist)) process.exit(0)
  process.stderr.write(
    'nightkiln: typescript is not installed and dist/ is missing; run npm ci with dev dependencies\n',
  )
  process.exit(1)
}

// Built beside and swapped in: a running manager or a test never sees half a dist/.
const next = join(root, `dist.next.${process.pid}`)
for (const project of ['tsconfig.build.json', 'tsconfig.handler.json']) {
  const built = spawnSync(process.execPath, [compiler, '-p', join(root, project), '--outDir', next], {
    stdio: 'inherit',
  })
  if (built.status !== 0) {
    rmSync(next, { recursive: true, force: true })
    process.exit(built.status ?? 1)
  }
}

// tsc rewrites the endings of imports in programs, not in declarations; older editors find only the rewritten ones.
const declarations = join(next, 'handler')
for (const name of readdirSync(declarations, { recursive: true }).filter((each) => each.endsWith('.d.ts'))) {
  const file = join(declarations, name)
  writeFileSync(file, readFileSync(file, 'utf8').replace(/((?:from|import\()\s*'\.[^']*)\.ts'/g, "$1.js'"))
}

const copied = /\.(sql|sh|txt)$/
for (const folder of ['cli', 'persistence', 'workers']) {
  cpSync(join(root, 'src', folder), join(next, folder), {
    recursive: true,
    filter: (source) => !source.endsWith('.ts') && (copied.test(source) || !/\.[a-z]+$/.test(source)),
  })
}
chmodSync(join(next, 'cli', 'main.js'), 0o755)

try {
  await bundleFrontEnd(join(next, 'front-end.js'))
  await buildAppIfAny(join(next, 'app'))
} catch (error) {
  rmSync(next, { recursive: true, force: true })
  process.stderr.write(`nightkiln: ${error.message}\n`)
  process.exit(1)
}

const old = join(root, `dist.old.${process.pid}`)
if (existsSync(dist)) renameSync(dist, old)
renameSync(next, dist)
rmSync(old, { recursive: true, force: true })
