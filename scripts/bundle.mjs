// npm run bundle [-- FOLDER]: nightkiln-<version>.mcpb in build/ or in FOLDER, for clients that install bundles. Checked and packed by
// the official tool.
import { rmSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fillBundleFolder } from './bundle-folder.mjs'
import { runPacker } from './bundle-packer.mjs'
import { ensureBuilt } from './ensure-built.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const status = ensureBuilt()
if (status !== 0) process.exit(status)

const out = resolve(process.argv[2] ?? join(root, 'build'))
const folder = join(out, 'mcpb')
try {
  const { version } = await fillBundleFolder(folder)
  const bundle = join(out, `nightkiln-${version}.mcpb`)
  rmSync(bundle, { force: true })
  runPacker('validate', join(folder, 'manifest.json'))
  runPacker('pack', folder, bundle)
  process.stdout.write(`${relative(process.cwd(), bundle)}  ${Math.ceil(statSync(bundle).size / 1024)} KiB\n`)
} catch (error) {
  process.stderr.write(`nightkiln: ${error.message}\n`)
  process.exitCode = 1
}
