import type { Terminal } from './terminal.ts'

/** @returns text of several lines, each harmless, indented. */
export function indentedLines(text: string, terminal: Terminal, indent: string): string[] {
  return text
    .replace(/\r?\n$/, '')
    .split('\n')
    .map((line) => `${indent}${terminal.harmless(line)}`)
}
