import { expect, test } from 'vitest'
import type { OperationCall } from '../../../src/domain/wire/operations.ts'
import { sendInput } from '../../../src/manager/services/send-input.ts'
import type { ServiceContext } from '../../../src/manager/services/service-context.ts'

type Request = OperationCall<'send_input'>
const call = (more: Partial<Request> = {}): Request => ({ id: 'j', unit: 0, text: '', raw: false, end: false, ...more })

/** Only what the service asks for. */
function contextWith(state: string, options: { live?: boolean; executor?: string } = {}) {
  const sent: [string, boolean][] = []
  const live = {
    async send(text: string, end: boolean) {
      sent.push([text, end])
      return Buffer.byteLength(text)
    },
  }
  const unit = { id: 'u', position: 0, state }
  const context = {
    store: {
      readJob: (id: string) => (id === 'j' ? { id, counts: { total: 1 } } : null),
      readUnits: (_: string, page: { afterPosition: number }) => (page.afterPosition === -1 ? [unit] : []),
      readAttempts: () => [
        {
          executor: options.executor ?? 'command',
          mode: 'gpu',
          remote: { worker: 'rig', remoteId: 'r' },
          device: 'NVIDIA H200',
        },
      ],
    },
    supervisor: { liveOf: () => (options.live === false ? null : live) },
  }
  return { context: context as unknown as ServiceContext, sent }
}

test.for([
  [{ text: 'yes' }, 'yes\n', false, 4],
  [{ text: 'yes\n' }, 'yes\n\n', false, 5],
  [{ text: 'é', raw: true }, 'é', false, 2],
  [{}, '\n', false, 1],
  [{ end: true }, '', true, 0],
  [{ text: 'last', end: true }, 'last\n', true, 5],
] as const)('%j is sent as %j', async ([request, text, end, bytes]) => {
  const { context, sent } = contextWith('running')
  expect(await sendInput(context, call(request))).toMatchObject({ id: 'j', bytes, ended: end })
  expect(sent).toEqual([[text, end]])
})

test.for([
  ['available', {}, /job j is not running yet/],
  ['completed', {}, /job j has ended \(completed\)/],
  ['running', { live: false }, /just being started or ended/],
  ['running', { live: false, executor: 'gpu' }, /runs at the GPU worker rig \(gpu, NVIDIA H200\), which has no input/],
  ['running', { live: true, executor: 'gpu' }, /runs at the GPU worker rig/],
  ['running', { live: false, executor: 'inline' }, /without a process of its own/],
] as const)('a unit that is %s (%j) takes nothing, and the answer says why', async ([state, options, message]) => {
  const { context, sent } = contextWith(state, options)
  await expect(sendInput(context, call({ text: 'x' }))).rejects.toMatchObject({
    code: 'invalid_transition',
    message: expect.stringMatching(message),
  })
  expect(sent).toEqual([])
})

test('nothing to send, an unknown job and an unknown unit are named', async () => {
  const { context } = contextWith('running')
  await expect(sendInput(context, call({ raw: true }))).rejects.toMatchObject({ code: 'invalid_input' })
  await expect(sendInput(context, call({ id: 'k' }))).rejects.toMatchObject({ code: 'job_not_found' })
  await expect(sendInput(context, call({ unit: 3 }))).rejects.toMatchObject({ code: 'unit_not_found' })
})
