import { describe, expect, it } from 'vitest'
import { forCommandLine } from '../../../src/cli/display/for-command-line.ts'
import { gpuTestLines, gpuWorkerLine, gpuWorkerTable } from '../../../src/cli/display/gpu-workers.ts'
import { jobDetail } from '../../../src/cli/display/job-detail.ts'
import { unitLines } from '../../../src/cli/display/unit-table.ts'
import { judged } from '../../../src/cli/doctor/gpu-check.ts'
import { gpuOf } from '../../../src/cli/gpu-options.ts'
import { checkedWorkerName, workerEntryOf } from '../../../src/cli/gpu-worker-input.ts'
import { submitInputOf } from '../../../src/cli/job-input.ts'
import { errorKinds } from '../../../src/domain/errors.ts'
import { gpuTestStates } from '../../../src/domain/wire/gpu.ts'
import type { JobView } from '../../../src/domain/wire/shared.ts'
import { gpuWorkerStatus, gpuWorkerTest } from '../../support/fake-gpu-fleet.ts'
import { jobView, someJobId } from '../../support/job-view.ts'
import { fakeTerminal } from './fake-terminal.ts'

const now = Date.parse('2030-01-01T00:01:00Z')
const evil = 'x\u001b[2Jy\u0007\u202ez\r\nq'
const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/
const url = 'https://rig.local:7801'
const { terminal } = fakeTerminal()

describe('options of gpu add', () => {
  it.each([
    [{ keyFile: 'rig.key' }, { key: { file: '/home/ada/rig.key' } }],
    [{ keyFile: '/etc/rig.key' }, { key: { file: '/etc/rig.key' } }],
    [{ keyEnv: 'RIG_KEY' }, { key: { env: 'RIG_KEY' } }],
    [{ keychain: 'nightkiln/ada/rig' }, { key: { keychain: { service: 'nightkiln', account: 'ada/rig' } } }],
    [{ caFile: '../ca.pem' }, { ca_file: '/home/ca.pem' }],
    [
      { allowCpu: true, cogType: 'upscale' },
      { allow_cpu: true, cog_type: 'upscale' },
    ],
    [{}, {}],
  ] as const)('%j', (options, entry) => {
    expect(workerEntryOf(url, options, '/home/ada')).toEqual({ url, ...entry })
  })

  it('say why a key itself is no option, and do not repeat it', () => {
    let thrown: unknown
    try {
      workerEntryOf(url, { key: 'nk-secret-value' }, '/home/ada')
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({
      code: 'invalid_input',
      message: expect.stringMatching(/^--key is not an option: .*would show the key/),
      remedy: expect.stringMatching(/--key-file/),
    })
    expect(JSON.stringify(thrown) + (thrown as Error).message).not.toContain('secret')
  })

  it('name what is wrong', () => {
    const both = () => workerEntryOf(url, { keyFile: 'a', keyEnv: 'B' }, '/')
    expect(both).toThrow('--key-file and --key-env were given together')
    for (const keychain of ['nightkiln', '/rig', 'nightkiln/'])
      expect(() => workerEntryOf(url, { keychain }, '/')).toThrow(/--keychain is .* SERVICE\/ACCOUNT/)
    expect(() => checkedWorkerName('My Rig')).toThrow(/the name is "My Rig"/)
    expect(checkedWorkerName('rig-2')).toBe('rig-2')
  })
})

describe('options of a job that asks for a GPU', () => {
  it('each go to their field of the wire', () => {
    expect(gpuOf({ gpu: 'prefer', gpuFallback: 'after-lease', gpuWait: '10m' })).toEqual({
      gpu: 'prefer',
      gpu_fallback: 'after_lease',
      gpu_wait_s: 600,
    })
    expect(gpuOf({})).toEqual({})
    const input = submitInputOf({ type: 'montecarlo', gpu: 'require', gpuWait: '90' }, [], { cwd: '/', now })
    expect(input).toMatchObject({ type: 'montecarlo', gpu: 'require', gpu_wait_s: 90 })
  })

  it.each([
    [{ gpu: 'always' }, '--gpu is "always", but must be never, prefer or require'],
    [{ gpuFallback: 'soon' }, '--gpu-fallback is "soon", but must be after-lease, immediate or never'],
    [{ gpuWait: 'long' }, '--gpu-wait is "long"'],
  ])('%j is refused by its name', (options, message) => {
    expect(() => gpuOf(options)).toThrow(message)
  })
})

describe('words of the manager about GPUs at the command line', () => {
  it.each([
    ['test_gpu {"name":"rig"} connects to it.', 'nightkiln gpu test rig connects to it.'],
    ['list_gpu_workers shows the others.', 'nightkiln gpu list shows the others.'],
    ['queue_status {"test_gpu":true} (nightkiln gpu test) says', 'nightkiln gpu test says'],
    ['Say gpu: "require": it then waits.', 'Say --gpu require: it then waits.'],
    [
      'gpu_fallback "never" is given, or leave gpu_fallback out.',
      '--gpu-fallback "never" is given, or leave --gpu-fallback out.',
    ],
    ['gpu_wait_s is 0, but must be more', '--gpu-wait is 0, but must be more'],
    ['Leave gpu out, or write a handler', 'Leave --gpu out, or write a handler'],
    ['Give another name, or replace: true.', 'Give another name, or --replace.'],
    ['ca_file is "a", which is not an absolute path', '--ca-file is "a", which is not an absolute path'],
    [
      errorKinds.gpu_unavailable.remedy,
      'The message says why each worker did not; nightkiln gpu test what to do about one that cannot be reached. Or let the job fall back (--gpu prefer).',
    ],
  ])('%s', (given, expected) => {
    expect(forCommandLine(given, someJobId)).toBe(expected)
  })
})

describe('a test of a GPU worker', () => {
  it('shows the GPU with memory and driver, slots, types and how long it took', () => {
    expect(gpuTestLines(gpuWorkerTest(), terminal)).toEqual([
      'rig  connected in 12 ms  https://rig.local:7801',
      '  GPU        NVIDIA H200, 140 GiB (2 GiB used), driver 570.86.10',
      '  slots      2 of 2 free',
      '  job types  montecarlo',
      '  version    0.1.0',
    ])
  })

  it('has words for every state, the code and what to do', () => {
    const words = gpuTestStates.map(
      (state) => gpuTestLines(gpuWorkerTest({ state, latency_ms: null }), terminal)[0]?.split('  ')[1],
    )
    expect(words).toEqual([
      'connected',
      'connected, busy',
      'key refused',
      'key missing',
      'TLS problem',
      'wrong protocol',
      'unreachable',
      'no GPU',
    ])
    const failed = gpuWorkerTest({
      state: 'unreachable',
      summary: 'Nothing listens there',
      code: 'ECONNREFUSED',
      remedy: 'Start it: nightkiln worker.',
      gpus: [],
      slots: null,
      job_types: [],
      version: null,
    })
    expect(gpuTestLines(failed, terminal).slice(1)).toEqual([
      '  Nothing listens there (ECONNREFUSED)',
      '  Start it: nightkiln worker.',
    ])
  })

  it('shows a software adapter as what it is, and nothing that a worker says is taken as it is', () => {
    const [gpu] = gpuWorkerTest().gpus
    if (gpu === undefined) throw new Error('no GPU')
    const test = gpuWorkerTest({
      gpus: [{ ...gpu, name: 'llvmpipe', software: true, memory_total_mb: null, driver_version: null }],
      summary: evil,
      remedy: evil,
      job_types: [evil],
    })
    const text = gpuTestLines(test, terminal).join('\n')
    expect(text).toContain('llvmpipe (software, no GPU)\n')
    expect(text).not.toMatch(control)
  })
})

describe('GPU workers', () => {
  const away = gpuWorkerStatus({
    name: 'old',
    reachable: false,
    gpus: [],
    slots: null,
    problem: 'no answer (ETIMEDOUT)',
    breaker: 'open',
    breaker_until: '2030-01-01T00:01:20Z',
  })

  it('are a table and lines of the overview', () => {
    const busy = gpuWorkerStatus({ slots: { total: 2, free: 0 }, running: 2 })
    const text = gpuWorkerTable([busy, away], terminal, now)
    expect(text).toMatch(/rig\s+busy\s+NVIDIA H200\s+0 of 2 free\s+2\s+montecarlo\s+https:\/\/rig\.local:7801/)
    // What runs there counts, also when it was looked at before that began.
    const filled = gpuWorkerStatus({ slots: { total: 2, free: 2 }, running: 2 })
    expect(gpuWorkerLine(filled, now)).toBe('rig: busy, NVIDIA H200, 0 of 2 free, 2 of this queue')
    expect(text).toMatch(/old\s+no answer \(ETIMEDOUT\); tried again in 20 s/)
    expect(gpuWorkerLine(busy, now)).toBe('rig: busy, NVIDIA H200, 0 of 2 free, 2 of this queue')
    expect(gpuWorkerLine(gpuWorkerStatus({ reachable: null, gpus: [], slots: null }), now)).toBe('rig: not asked yet')
    expect(gpuWorkerTable([gpuWorkerStatus({ problem: evil })], terminal, now)).not.toMatch(control)
  })

  it('fit a narrow terminal', () => {
    const narrow = fakeTerminal({ isTTY: true, columns: 60 }).terminal
    for (const line of gpuWorkerTable([away], narrow, now).split('\n')) expect(line.length).toBeLessThan(60)
  })

  it('are well for doctor only when all can be used; the first bad one says what to do', () => {
    expect(judged([])).toMatchObject({ status: 'ok', detail: expect.stringContaining('none') })
    expect(judged([gpuWorkerTest(), gpuWorkerTest({ name: 'b', state: 'busy' })])).toMatchObject({
      status: 'ok',
      detail: 'rig: NVIDIA H200, 2 of 2 slots free; b: NVIDIA H200, 2 of 2 slots free',
    })
    const refused = gpuWorkerTest({
      name: 'c',
      state: 'key_refused',
      summary: 'It refuses the key.',
      remedy: 'Take its key.',
    })
    expect(judged([gpuWorkerTest(), refused])).toMatchObject({
      status: 'problem',
      detail: 'c: It refuses the key; rig: NVIDIA H200, 2 of 2 slots free',
      remedy: 'Take its key.',
    })
    expect(judged([{ ...refused, remedy: null }]).remedy).toBe('nightkiln gpu test c says more.')
  })
})

describe('a job that asks for a GPU', () => {
  const gpu: NonNullable<JobView['gpu']> = { preference: 'prefer', fallback: 'after_lease', wait_s: 60, modes: [] }
  const mode = { mode: 'gpu', device: 'NVIDIA H200', worker: 'rig', units: 1, running: 0, fallback_reason: null }
  const detail = (changes: Partial<JobView>) => jobDetail(jobView(changes), terminal, now).join('\n')

  it('says what it asks for before anything ran', () => {
    expect(detail({ gpu })).toMatch(/gpu\s+prefer: waits up to 1 m for a place, then it falls back/)
    expect(detail({ gpu: { ...gpu, preference: 'require', fallback: 'never' } })).toContain('then it fails')
  })

  it('says on what each part of it ran, and why it fell back', () => {
    expect(detail({ gpu: { ...gpu, modes: [mode] }, execution_mode: 'gpu' })).toMatch(
      /gpu\s+gpu, NVIDIA H200, at rig\n/,
    )
    const fallback = {
      ...mode,
      mode: 'local (gpu fallback)',
      device: 'AMD EPYC',
      worker: null,
      units: 2,
      running: 1,
      fallback_reason: evil,
    }
    const text = detail({ gpu: { ...gpu, modes: [{ ...mode, units: 3 }, fallback] } })
    expect(text).toMatch(/gpu, NVIDIA H200, at rig: 3 units\n/)
    expect(text).toMatch(/local \(gpu fallback\), AMD EPYC: 2 units, 1 running; fell back: x/)
    expect(text).not.toMatch(control)
  })

  it('shows mode and device of attempts and units', () => {
    const attempt = {
      unit: 0,
      attempt: 1,
      outcome: 'completed' as const,
      executor: 'thread' as const,
      mode: 'local (gpu fallback)',
      device: 'AMD EPYC',
      worker: null,
      fallback_reason: 'the worker was lost',
      exit_code: null,
      started_at: '2030-01-01T00:00:00Z',
      finished_at: '2030-01-01T00:00:05Z',
      error: null,
    }
    expect(detail({ attempt_history: [attempt] })).toMatch(/local \(gpu fallback\): AMD EPYC .*the worker was lost/)
    const unit = {
      unit: 0,
      final_step: false,
      state: 'completed' as const,
      why: 'completed',
      key: null,
      progress: null,
      untrusted_input: '1',
      attempts: 1,
      failures: 0,
      mode: 'gpu',
      device: 'NVIDIA H200',
      exit_code: null,
      duration_s: 1,
      error: null,
    }
    const counts = { total: 1, available: 0, running: 0, completed: 1, failed: 0, cancelled: 0 }
    const answer = {
      id: someJobId,
      units: [unit],
      counts,
      failure_groups: [],
      has_more: false,
      next_cursor: null,
      next: '',
    }
    expect(unitLines(answer, terminal).join('\n')).toContain('gpu: NVIDIA H200')
    const { device: _device, ...local } = { ...unit, mode: 'local' }
    expect(unitLines({ ...answer, units: [local] }, terminal).join('\n')).not.toContain('MODE')
  })
})
