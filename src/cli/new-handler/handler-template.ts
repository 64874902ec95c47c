import { readFileSync } from 'node:fs'

export type HandlerLanguage = 'ts' | 'js'

/** @returns the source of a small handler that works: it counts words in steps and goes on where it was */
export function handlerTemplate(type: string): string {
  return filled('handler.txt', { TYPE: type, TITLE: titleOf(type) })
}

/** @returns a test of it that runs without Nightkiln */
export function testTemplate(type: string, language: HandlerLanguage): string {
  return filled('handler-test.txt', { TYPE: type, LANGUAGE: language })
}

function filled(name: string, words: Readonly<Record<string, string>>): string {
  const text = readFileSync(new URL(name, import.meta.url), 'utf8')
  return text.replaceAll(/@([A-Z]+)@/g, (whole, word: string) => words[word] ?? whole)
}

function titleOf(type: string): string {
  const words = type.replaceAll(/[_-]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Every file is a module. */
export const packageTemplate = `{
  "type": "module",
  "private": true
}
`

/** For the editor alone: handlers are never compiled by it. */
export const compilerTemplate = `{
  "compilerOptions": {
    "target": "es2023",
    "lib": ["es2023", "dom"],
    "module": "nodenext",
    "types": ["node"],
    "strict": true,
    "noEmit": true,
    "allowJs": true,
    "checkJs": true,
    "allowImportingTsExtensions": true,
    "isolatedModules": true,
    "skipLibCheck": true
  }
}
`
