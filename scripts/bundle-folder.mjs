// The folder that an .mcpb bundle is packed from.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const readJson = (...parts) => JSON.parse(readFileSync(join(root, ...parts), 'utf8'))

/**
 * @returns the manifest of the bundle: the written one with version, keywords and tools as they are now
 * @param dist the built program
 */
export async function makeManifest(dist) {
  const { version, keywords } = readJson('package.json')
  const { tools } = await import(pathToFileURL(join(dist, 'tools', 'all-tools.js')).href)
  const listed = tools.map((tool) => {
    const { name, description } = tool.listed()
    return { name, description: firstLine(description) }
  })
  return { ...readJson('packaging', 'mcpb', 'manifest.json'), version, keywords, tools: listed }
}

function firstLine(text) {
  const [line = ''] = text.trim().split('\n')
  return line
}

/**
 * Fills a folder with what goes into the bundle. Files lie as they do in the installed package, which is how the front end
 * finds its own; the program that runs jobs stays out, because its native module fits one Node only.
 * @param dist the built program
 */
export async function fillBundleFolder(folder, dist = join(root, 'dist')) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'dist'), { recursive: true })
  const manifest = await makeManifest(dist)
  const write = (name, value) => writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`)
  write('manifest.json', manifest)
  write('package.json', {
    name: manifest.name,
    version: manifest.version,
    license: manifest.license,
    type: 'module',
    private: true,
  })
  for (const name of ['front-end.js', 'front-end.licenses.txt', 'app']) {
    if (existsSync(join(dist, name))) cpSync(join(dist, name), join(folder, 'dist', name), { recursive: true })
  }
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  cpSync(join(root, 'packaging', 'mcpb', manifest.icon), join(folder, manifest.icon))
  return manifest
}
