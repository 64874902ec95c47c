import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { waitUntil } from '../support/wait-until.ts'
import { type FrontEnd, startFrontEnd } from './support/front-end.ts'

const handler = `
import { defineHandler, z } from 'nightkiln/handler'
export default defineHandler({
  type: 'fire_glaze',
  title: 'Fire a glaze',
  description: 'Fires.',
  params: z.strictObject({}),
  result: z.strictObject({}),
  run: () => ({}),
})
`

async function submitDescription(frontEnd: FrontEnd): Promise<string> {
  const { result } = await frontEnd.request('tools/list')
  const tools = result?.['tools'] as { readonly name: string; readonly description: string }[]
  return tools.find(({ name }) => name === 'submit_job')?.description ?? ''
}

test('a new job type is told to clients, which then see it where models look', async () => {
  const home = useTemporaryHome()
  const { handlers } = statePaths(home.home)
  mkdirSync(handlers, { recursive: true, mode: 0o700 })
  const frontEnd = startFrontEnd(home)
  await frontEnd.initialize()
  expect(await submitDescription(frontEnd)).not.toContain('Job types on this machine')
  await frontEnd.callTool('queue_status')
  const told = (method: string) => frontEnd.messages.filter((message) => message.method === method).length
  await waitUntil(async () => (await submitDescription(frontEnd)).includes('Job types on this machine: '))
  // The first contact with a manager is no change of anything.
  expect(told('notifications/tools/list_changed')).toBe(0)

  writeFileSync(join(handlers, 'fire-glaze.mjs'), handler, { mode: 0o600 })
  await waitUntil(() => told('notifications/tools/list_changed') > 0)
  await waitUntil(async () => (await submitDescription(frontEnd)).includes('fire_glaze (Fire a glaze)'))
})
