/** Source of the job type `patient`: waits for a minute, one way or another, unless it is told to stop. */
export const patientSource = `
import { defineHandler, z } from 'nightkiln/handler'

export default defineHandler({
  type: 'patient',
  title: 'Patient',
  description: 'Waits.',
  params: z.object({ how: z.enum(['politely', 'deaf', 'for_programs']), started: z.string() }),
  result: z.null(),
  async run({ params, cancellation, spawn, artifact, checkpoint, log, signal }) {
    checkpoint({ here: true })
    await artifact('started.txt', 'yes')
    const { writeFileSync } = await import('node:fs')
    if (params.how === 'for_programs') {
      const script = 'trap "" TERM; (setsid sleep 61234 &); sleep 61234 & : > "$0"; sleep 61234; sleep 61234'
      await spawn('/bin/sh', ['-c', script, params.started])
      return null
    }
    writeFileSync(params.started, '')
    if (params.how === 'deaf') await new Promise(() => setInterval(() => log.info('still here'), 100))
    await cancellation.wait(60_000)
    return null
  },
})
`

/** Source of the job type `edited`: says which version of it ran. */
export function editedSource(version: number, more = ''): string {
  return `
import { defineHandler, Retry, z } from 'nightkiln/handler'
${more}
export default defineHandler({
  type: 'edited',
  title: 'Edited',
  description: 'Version ${version}.',
  params: z.object({ again_ms: z.int().optional() }),
  result: z.object({ version: z.int() }),
  async run({ params, attempt }) {
    if (params.again_ms !== undefined && attempt === 1) throw new Retry(params.again_ms, 'version ${version}')
    return { version: ${version} }
  },
})
`
}
