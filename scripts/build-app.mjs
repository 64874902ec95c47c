// Builds the board, dist/app/board.html: Vite puts everything into one page, then the page gets a policy that allows exactly its
// own script and style, and nothing from anywhere. As a script: node scripts/build-app.mjs [FOLDER]
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const inline = /<(script|style)\b([^>]*)>([\s\S]*?)<\/\1>/g

/** Hosts hand the page on as text; a wrong guess of its encoding must not change what is hashed. */
function asAscii(kind, text) {
  if (kind === 'style') return text.replace(/[^\x00-\x7f]/gu, (one) => `\\${one.codePointAt(0).toString(16)} `)
  return text.replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function hashOf(text) {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

/** @returns the page with its policy before everything else. @throws Error when something is not in the page itself */
export function withPolicy(page) {
  const hashes = { script: [], style: [] }
  const inlined = page.replace(inline, (_whole, kind, attributes, text) => {
    if (/\bsrc=/.test(attributes)) throw new Error(`the board loads a script: ${attributes.trim()}`)
    const code = asAscii(kind, text)
    hashes[kind].push(hashOf(code))
    return `<${kind}${attributes.replace(/\s+crossorigin\b/, '')}>${code}</${kind}>`
  })
  if (/<link\b|<img\b|<base\b/.test(inlined.replace(inline, '')))
    throw new Error('the board loads something from outside')
  const policy = [
    "default-src 'none'",
    `script-src ${hashes.script.join(' ')}`,
    `style-src ${hashes.style.join(' ')}`,
    "connect-src 'none'",
    "img-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}">`
  return inlined.replace('<meta charset="utf-8">', `<meta charset="utf-8">\n    ${meta}`)
}

/** @param outDir where board.html goes; made when it is not there */
export async function buildApp(outDir) {
  // Vite is loaded here: an installed package has neither it nor a reason to build.
  const [{ build }, { viteSingleFile }] = await Promise.all([import('vite'), import('vite-plugin-singlefile')])
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const made = mkdtempSync(join(tmpdir(), 'nightkiln-app-'))
  try {
    await build({
      root: join(root, 'src', 'app'),
      configFile: false,
      envDir: false,
      publicDir: false,
      logLevel: 'warn',
      define: { nightkilnVersion: JSON.stringify(version) },
      plugins: [viteSingleFile({ removeViteModuleLoader: true })],
      build: {
        target: 'es2023',
        outDir: made,
        emptyOutDir: false,
        modulePreload: false,
        reportCompressedSize: false,
        rolldownOptions: { input: join(root, 'src', 'app', 'board.html') },
      },
    })
    const files = readdirSync(made)
    if (files.join() !== 'board.html') throw new Error(`the board is not one file: ${files.join(', ')}`)
    mkdirSync(outDir, { recursive: true })
    writeFileSync(join(outDir, 'board.html'), withPolicy(readFileSync(join(made, 'board.html'), 'utf8')))
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildApp(process.argv[2] ?? join(root, 'dist', 'app'))
