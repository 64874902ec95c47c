#!/usr/bin/env node
/**
 * Entry of the program. Not responsible for commands: it only decides what to load. Everything is imported
 * late, so that an old Node gets a sentence instead of a syntax error and `nightkiln mcp` starts without
 * the command line, from the one file that the whole front end is built into.
 */

import { existsSync } from 'node:fs'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `nightkiln needs Node 20.19 or newer; this is Node ${process.versions.node} (${process.execPath}).\n`,
  )
  process.exit(1)
}

if (process.argv[2] === 'mcp' && process.argv.length === 3) {
  const bundled = new URL('../front-end.js', import.meta.url)
  if (existsSync(bundled)) {
    const { keepCompiledCode } = await import('./compile-cache.ts')
    keepCompiledCode()
    await import(bundled.href)
  } else {
    const { runMcpServer } = await import('../server/main.ts')
    await runMcpServer()
  }
} else {
  const { runCommandLine } = await import('./run-command-line.ts')
  await runCommandLine(process.argv.slice(2))
}
