import { describe, expect, it } from 'vitest'
import { clientsOf, type SetupOptions } from '../../../src/cli/setup/setup-options.ts'

describe('options of setup', () => {
  it.each<[SetupOptions, string[], boolean]>([
    [{}, [], false],
    [{ client: ['cursor', 'vscode'] }, ['vscode', 'cursor'], false],
    [{ client: ['generic'] }, [], true],
    [{ file: 'a.json' }, [], true],
    [{ http: true }, [], true],
  ])('of %j mean clients %j, any other: %j', (options, clients, generic) => {
    expect(clientsOf(options)).toEqual({ clients, generic })
  })

  it.each<[SetupOptions, string]>([
    [{ client: ['generic', 'cursor'] }, 'generic was given with other clients'],
    [{ client: ['cursor'], http: true }, '--http was given for cursor'],
    [{ client: ['cursor'], file: 'a.json' }, '--file was given for cursor'],
    [{ client: ['generic'], remove: true }, '--remove does not know the file'],
    [{ client: ['generic'], project: true }, '--project has no meaning'],
    [{ client: ['claude-desktop'], project: true }, 'Claude Desktop has no configuration of a project'],
    [{ print: true, dryRun: true }, '--print and --dry-run were given together'],
    [{ client: ['emacs'] }, 'setup knows no client "emacs"'],
  ])('refuses %j', (options, message) => {
    expect(() => clientsOf(options)).toThrow(message)
  })
})
