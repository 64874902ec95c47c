import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { serverName } from '../../../src/cli/setup/server-entry.ts'
import { tools } from '../../../src/tools/all-tools.ts'
import { repositoryRoot } from '../../support/repository.ts'

const read = (...parts: string[]): unknown => JSON.parse(readFileSync(join(repositoryRoot, ...parts), 'utf8'))

const about = z
  .object({ name: z.string(), version: z.string(), mcpName: z.string().optional() })
  .parse(read('package.json'))

/** The parts of the registry's schema of 2025-12-11 that this server uses, with its limits. */
const input = {
  description: z.string().optional(),
  isRequired: z.boolean().optional(),
  isSecret: z.boolean().optional(),
  format: z.enum(['string', 'number', 'boolean', 'filepath']).optional(),
}
const registryEntry = z.strictObject({
  $schema: z.literal('https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json'),
  name: z
    .string()
    .min(3)
    .max(200)
    .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
  title: z.string().min(1).max(100),
  description: z.string().min(1).max(100),
  version: z.string().max(255),
  packages: z.array(
    z.strictObject({
      registryType: z.literal('npm'),
      identifier: z.string(),
      version: z.string().regex(/^\d+\.\d+\.\d+/),
      runtimeHint: z.enum(['npx']),
      transport: z.strictObject({ type: z.literal('stdio') }),
      packageArguments: z.array(z.strictObject({ type: z.literal('positional'), value: z.string(), ...input })),
      environmentVariables: z.array(z.strictObject({ name: z.string().regex(/^NIGHTKILN_[A-Z_]+$/), ...input })),
    }),
  ),
})

test('the entry for the MCP registry is of its form and of this version', () => {
  const entry = registryEntry.parse(read('server.json'))
  expect(entry.version).toBe(about.version)
  expect(entry.packages).toMatchObject([
    { identifier: about.name, version: about.version, packageArguments: [{ value: 'mcp' }] },
  ])
  // The registry compares the two when it is published.
  expect(about.mcpName ?? entry.name).toBe(entry.name)
})

test('server and tool names together are short enough for every client', () => {
  expect(tools.filter(({ name }) => `${serverName}${name}`.length > 60)).toEqual([])
})
