import { expect, test } from 'vitest'
import { usualAnswerCharacters } from '../../../src/config/answer-limit.ts'
import { type QueueStatusAnswer, queueStatusAnswer } from '../../../src/domain/wire/jobs.ts'
import { queueStatus } from '../../../src/tools/queue-status.ts'
import { gpuWorkerStatus, gpuWorkerTest } from '../../support/fake-gpu-fleet.ts'
import { callTool } from '../../support/tool-call.ts'

const answer: QueueStatusAnswer = {
  manager: {
    version: '1.0.0',
    pid: 1,
    epoch: 1,
    started_at: '2030-01-01T00:00:00Z',
    uptime_s: 60,
    state_directory: '/state',
    state: 'leading',
    rss_bytes: 1,
  },
  slots: { total: 2, busy: 1 },
  threads: { total: 2, busy: 0, hosts: [] },
  gpu_workers: [gpuWorkerStatus()],
  gpu_tests: [gpuWorkerTest()],
  queues: [],
  schedules: { enabled: 0, next_run_at: null },
  pruned: [],
  jobs: { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 },
  last_24h: { submitted: 0, completed: 0, failed: 0, cancelled: 0 },
  running: [],
  storage: { healthy: true, free_bytes: 1, floor_bytes: 1, accepting_jobs: true },
  warnings: [],
  next: 'next',
}

async function call(input: unknown, given: QueueStatusAnswer) {
  const { result, seen } = await callTool(queueStatus, input, given)
  return {
    requests: seen.map(({ request }) => request),
    shown: result.structuredContent as unknown as QueueStatusAnswer,
  }
}

test('queue_status connects to GPU workers only when it is asked to', async () => {
  expect((await call({}, answer)).requests).toEqual([{ test_gpu: false }])
  const { requests, shown } = await call({ test_gpu: true }, answer)
  expect(requests).toEqual([{ test_gpu: true }])
  expect(queueStatusAnswer.parse(shown)).toEqual(shown)
  expect(shown).toMatchObject({
    gpu_workers: [{ name: 'rig', gpus: [{ name: 'NVIDIA H200', memory_total_mb: 143_771 }] }],
    gpu_tests: [{ name: 'rig', state: 'connected', latency_ms: 12.4 }],
  })
})

test('workers with very many job types do not make it long; no worker is left out', async () => {
  const types = Array.from({ length: 300 }, (_, number) => `type_of_some_length_${number}`)
  const { shown } = await call(
    { test_gpu: true },
    {
      ...answer,
      gpu_workers: Array.from({ length: 5 }, (_, at) => gpuWorkerStatus({ name: `rig-${at}`, job_types: types })),
      gpu_tests: Array.from({ length: 5 }, (_, at) => gpuWorkerTest({ name: `rig-${at}`, job_types: types })),
    },
  )
  expect(JSON.stringify(shown).length).toBeLessThan(usualAnswerCharacters)
  expect(shown.gpu_workers).toHaveLength(5)
  expect(shown.gpu_tests).toHaveLength(5)
  expect(shown.next).toContain('left out to keep this answer small')
})
