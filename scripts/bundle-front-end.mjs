// The front end as one file of plain JavaScript: it starts faster than a tree of modules, and runs where there is no node_modules.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * zod says that its modules have no side effects, which lets esbuild drop the module that makes the others ready when parts of
 * it are loaded late. Of its languages one is used.
 */
const zodAsItIs = {
  name: 'zod-as-it-is',
  setup(build) {
    const own = Symbol('own')
    build.onResolve({ filter: /^(zod(\/|$)|\.)/ }, async ({ path, pluginData, importer, ...at }) => {
      if (pluginData === own) return undefined
      if (path.startsWith('.') && !importer.includes(`node_modules${sep}zod${sep}`)) return undefined
      const found = await build.resolve(path, { ...at, importer, pluginData: own })
      return { path: found.path, errors: found.errors, sideEffects: true }
    })
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: `export { default as en } from './en.js'`,
    }))
  },
}

/** The SDK makes its validator of JSON Schemas with every server; it is needed only for what a user answers to a question. */
const validatorWhenNeeded = {
  name: 'validator-when-needed',
  setup(build) {
    build.onLoad({ filter: /@modelcontextprotocol[\\/]server[\\/]dist[\\/]shimsNode\.mjs$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8')
      const [, name, file] = /import \{ (\w+) as AjvJsonSchemaValidator \} from "([^"]+)"/.exec(source) ?? []
      if (
        file === undefined ||
        !source.includes('export { AjvJsonSchemaValidator as DefaultJsonSchemaValidator, process }')
      )
        throw new Error(`${path} is not as it was: adapt ${import.meta.filename}`)
      const contents = `
        export { default as process } from 'node:process'
        export class DefaultJsonSchemaValidator {
          getValidator(schema) {
            this.real ??= new (require('${file}').${name})()
            return this.real.getValidator(schema)
          }
        }`
      return { contents, resolveDir: dirname(path) }
    })
  },
}

/** CommonJS packages ask for built-in modules by require, which modules do not have. */
const banner = `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);`

/**
 * Writes the bundled front end, and beside it the licences of what is in it.
 * @param outFile ends in front-end.js, the name by which src/config/program-files.ts knows it
 * @throws Error when something would be loaded that is neither in the file nor a part of Node
 */
export async function bundleFrontEnd(outFile) {
  const { build } = await import('esbuild')
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/server/bundled-main.ts'],
    outfile: outFile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    minifySyntax: true,
    minifyWhitespace: true,
    // Node prints the whole line that an error was thrown in.
    lineLimit: 160,
    legalComments: 'none',
    banner: { js: banner },
    plugins: [zodAsItIs, validatorWhenNeeded],
    metafile: true,
    logLevel: 'warning',
  })
  const inputs = Object.keys(metafile.inputs)
  const foreign = [
    ...Object.values(metafile.outputs).flatMap((output) =>
      output.imports
        .filter((each) => each.external && !each.path.startsWith('node:') && !isBuiltin(each.path))
        .map((each) => each.path),
    ),
    ...inputs.filter((file) => /\.node$|node_modules\/better-sqlite3\//.test(file)),
  ]
  if (foreign.length > 0)
    throw new Error(`the front end must be one pure JavaScript file, but needs ${foreign.join(', ')}`)
  writeFileSync(outFile.replace(/\.js$/, '.licenses.txt'), licenses(inputs))
}

/** @returns the licence texts of the packages that files came from */
function licenses(files) {
  const packages = new Set(
    files.flatMap((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []).toSorted(),
  )
  const texts = [...packages].map((folder) => {
    const about = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const name = readdirSync(join(root, folder)).find((each) => /^licen[cs]e(\.|$)/i.test(each))
    const text = name === undefined ? `Licence: ${about.license}` : readFileSync(join(root, folder, name), 'utf8')
    return `${about.name} ${about.version}\n\n${text.trim()}\n`
  })
  return `The file beside this one contains parts of these packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`
}

/** Builds the page of the MCP App where its builder is part of the source. */
export async function buildAppIfAny(outDirectory) {
  const builder = join(root, 'scripts', 'build-app.mjs')
  if (!existsSync(builder)) return
  const { buildApp } = await import('./build-app.mjs')
  await buildApp(outDirectory)
}
