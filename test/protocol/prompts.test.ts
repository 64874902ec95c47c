import { expect, test } from 'vitest'
import { useTemporaryHome } from '../support/temporary-home.ts'
import { connectNew, resourceClients } from './support/resource-clients.ts'

test.each(resourceClients)('%s lists prompts and gets them with the facts of the queue', async (_name, connect) => {
  const home = useTemporaryHome()
  const client = await connect(home)
  expect(await client.prompts()).toEqual(['resume_my_work', 'triage_failures', 'plan_batch'])

  const script = 'echo starting; echo "TypeError: x is not a function"; exit 3'
  const submitted = await client.call('submit_job', { params: { shell: true, script, cwd: home.home }, name: 'Tests' })
  const id = String(submitted['id'])
  expect(await client.call('wait_for_jobs', { ids: [id], timeout_s: 20 })).toMatchObject({ satisfied: true })

  const resume = await client.prompt('resume_my_work')
  expect(resume).toContain(`failed: {"id":"${id}"`)
  expect(resume).toMatch(/whats_new \{"acknowledge":"\d+"\}, so that it does not come again\.$/)
  const triage = await client.prompt('triage_failures', { since: '1d' })
  expect(triage).toContain(`What job ${id} printed:\n\`\`\`\nTypeError: x is not a function\n\`\`\``)
  expect(await client.complete({ prompt: 'triage_failures' }, 'id', 'test')).toEqual([id])
  const plan = await client.prompt('plan_batch', { goal: 'thumbnails', folder: home.home })
  expect(plan).toContain('"type":"checksum_tree"')
  expect(await client.complete({ prompt: 'plan_batch' }, 'type', 'comm')).toContain('command')

  await expect(client.prompt('plan_batch')).rejects.toThrow(/goal/)
  await expect(client.prompt('triage_failures', { sinc: '1d' })).rejects.toThrow(/no argument .*sinc.*valid: since, id/)
  await expect(client.prompt('triage_failures', { since: 'lately' })).rejects.toThrow(/such as 90m, 12h, 3d or 2w/)
})

test('a prompt says what to do when there can be no manager', async () => {
  const home = useTemporaryHome({ extraEnvironment: { NIGHTKILN_HOME: 'not/absolute' } })
  const client = await connectNew(home)
  expect((await client.resources()).map(({ uri }) => uri)).toEqual(expect.arrayContaining(['queue://status']))
  const text = await client.prompt('resume_my_work')
  expect(text).toContain('config_invalid: NIGHTKILN_HOME is "not/absolute", which is not an absolute path')
  expect(text).toContain('nightkiln doctor')
})
